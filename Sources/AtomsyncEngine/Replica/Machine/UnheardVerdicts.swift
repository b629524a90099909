internal import AtomsyncCore

/// The documents of pushes that were answered while a live stream was followed, until the stream tells of them.
///
/// The stream was opened before those answers, and was not asked to lead through them. If the store is put back to before
/// one, the stream goes on as if nothing had happened, and only its silence shows it.
struct UnheardVerdicts: Sendable {
  private var stream: Int?
  private var versions: [String: Int64] = [:]
  /// There were more than are remembered: the stream cannot tell of all.
  private var isOverfull = false
  private static let most = 4096

  var isEmpty: Bool { versions.isEmpty && !isOverfull }

  mutating func expect(_ accepted: [PushAnswer.Acceptance], on stream: Int) {
    if self.stream != stream {
      self = UnheardVerdicts()
      self.stream = stream
    }
    // No page tells of version 0: it is the deletion of what the server did not know.
    for acceptance in accepted where acceptance.version > 0 {
      if versions.count >= Self.most {
        isOverfull = true
      } else {
        versions[acceptance.id] = acceptance.version
      }
    }
  }

  mutating func hear(_ items: [RemotePage.Item], on stream: Int) {
    guard self.stream == stream else { return }
    for item in items {
      if let version = versions[item.id], item.version >= version { versions[item.id] = nil }
    }
  }
}
