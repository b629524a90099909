internal import NIOCore

/// Where a request came from, as far as that is known: an application's own router does not tell.
struct Peer {
  private let given: String?
  let connection: (any Channel)?

  init(address: String? = nil, connection: (any Channel)? = nil) {
    given = address
    self.connection = connection
  }

  /// The connection, if its requests follow each other. To say that something was written, it is sent nothing; HTTP/2 sends a
  /// frame of nothing as well, which some clients do not bear, and has a window for each stream instead.
  var exclusiveConnection: (any Channel)? {
    // The parent of a stream is its connection, that of a connection the listener.
    connection?.parent?.parent == nil ? connection : nil
  }

  /// The peer's IP address as text, which is made anew each time.
  var address: String? { given ?? connection?.remoteAddress?.ipAddress }
}
