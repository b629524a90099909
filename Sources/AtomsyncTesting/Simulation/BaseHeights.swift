internal import AtomsyncEngine

/// How far the base of each document has come: it never goes back, except by a reset.
struct BaseHeights {
  private var generation: Int64 = 0
  /// When a document was last looked at, a reset's pages were coming in.
  private var wasResetting = false
  private var versions: [String: Int64] = [:]
  private var alive: Set<String> = []

  /// Takes note of a document's base.
  ///
  /// - Returns: the version that it has fallen below, if so.
  mutating func take(_ id: String, _ base: ReplicaMachine.BaseView) -> Int64? {
    if base.generation != generation || wasResetting {
      self = BaseHeights()
      generation = base.generation
    }
    wasResetting = base.isResetting
    let known = versions[id] ?? 0
    guard let version = base.version else {
      // It was deleted, in a later version.
      if alive.remove(id) != nil { versions[id] = known + 1 }
      return nil
    }
    if base.isDeleted { alive.remove(id) } else { alive.insert(id) }
    versions[id] = max(known, version)
    return version < known ? known : nil
  }
}
