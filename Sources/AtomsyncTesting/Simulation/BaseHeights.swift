/// How far the base of each document has come: it never goes back, except by a reset.
struct BaseHeights {
  private var generation: Int64 = 0
  /// When a document was last looked at, a reset's pages were coming in.
  private var wasResetting = false
  private var versions: [String: Int64] = [:]
  private var present: Set<String> = []

  /// Takes note of a document's base; `nil`: it has none.
  ///
  /// - Returns: the version that it has fallen below, if so.
  mutating func take(_ id: String, _ version: Int64?, generation: Int64, isResetting: Bool) -> Int64? {
    if generation != self.generation || wasResetting {
      self = BaseHeights()
      self.generation = generation
    }
    wasResetting = isResetting
    let known = versions[id] ?? 0
    guard let version else {
      // It was deleted, in a later version.
      if present.remove(id) != nil { versions[id] = known + 1 }
      return nil
    }
    present.insert(id)
    versions[id] = max(known, version)
    return version < known ? known : nil
  }
}
