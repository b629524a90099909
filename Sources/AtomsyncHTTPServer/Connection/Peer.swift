internal import NIOCore

/// Where a request came from, as far as that is known: an application's own router need not tell.
struct Peer: Sendable {
  private let given: String?
  private let channel: (any Channel)?

  init(address: String? = nil) {
    given = address
    channel = nil
  }

  init(_ channel: any Channel) {
    given = nil
    self.channel = channel
  }

  /// The peer's IP address as text, which is made anew each time.
  var address: String? { given ?? channel?.remoteAddress?.ipAddress }
}
