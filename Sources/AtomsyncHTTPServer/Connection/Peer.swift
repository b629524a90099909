internal import NIOCore

/// Where a request came from, as far as that is known: an application's own router does not tell.
struct Peer {
  private let given: String?
  let connection: (any Channel)?

  init(address: String? = nil, connection: (any Channel)? = nil) {
    given = address
    self.connection = connection
  }

  /// The peer's IP address as text, which is made anew each time.
  var address: String? { given ?? connection?.remoteAddress?.ipAddress }
}
