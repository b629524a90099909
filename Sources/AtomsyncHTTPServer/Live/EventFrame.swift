internal import AtomsyncCore
internal import AtomsyncEngine
internal import NIOCore

/// Live events as the bytes of a `text/event-stream`.
enum EventFrame {
  /// The first line, so that a client and whatever is between see that the stream stands.
  static let opening = ByteBuffer(string: ": atomsync 1\n\n")
  static let heartbeat = ByteBuffer(string: ":\n\n")

  /// Made once for readers of one user, which all write the same memory.
  static func page(_ shared: SharedPage, for user: String?) throws -> ByteBuffer {
    try shared.encoded(for: user) { page in
      var page = page
      page.user = user
      return frame(id: page.cursor.text, event: "page", data: try TransitCodec.transitJSON.encode(page))
    }
  }

  static func revoked(group: String) throws -> ByteBuffer {
    frame(id: nil, event: "revoked", data: try TransitCodec.transitJSON.encode(Revocation(group: group)))
  }

  /// Tells a client when to connect again, once the stream has ended.
  static func retry(after delay: Duration) -> ByteBuffer {
    ByteBuffer(string: "retry: \(Int(delay / .milliseconds(1)))\n\n")
  }

  /// - Parameter data: one line: Transit-JSON escapes line ends.
  private static func frame(id: String?, event: String, data: [UInt8]) -> ByteBuffer {
    var buffer = ByteBuffer()
    buffer.reserveCapacity(data.count + 64 + (id?.utf8.count ?? 0))
    if let id { buffer.writeString("id: \(id)\n") }
    buffer.writeString("event: \(event)\ndata: ")
    buffer.writeBytes(data)
    buffer.writeString("\n\n")
    return buffer
  }
}
