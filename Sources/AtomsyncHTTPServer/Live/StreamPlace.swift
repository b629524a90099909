internal import AtomsyncCore

/// One place of those that live streams have. It is given back once: by ``leave()``, or with this object, for a stream
/// whose answer was never begun.
final class StreamPlace: Sendable {
  private let quota: Quota
  private let name: String
  private let hasLeft = Lock(false)

  init(_ quota: Quota, _ name: String) {
    self.quota = quota
    self.name = name
  }

  deinit { leave() }

  func leave() {
    let isFirst = hasLeft.withLock { hasLeft in
      defer { hasLeft = true }
      return !hasLeft
    }
    if isFirst { quota.giveBack(from: name) }
  }
}
