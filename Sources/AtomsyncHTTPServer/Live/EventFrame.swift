internal import AtomsyncCore
internal import AtomsyncEngine
package import NIOCore

/// A piece of a `text/event-stream`, as it goes over the wire.
package struct EventFrame: Sendable {
  /// The bytes.
  package let bytes: ByteBuffer
  /// The same as a chunk of HTTP/1.1 (RFC 9112 §7.1), in the same memory: it is made once for all readers.
  let chunk: ByteBuffer

  /// - Parameter write: writes the bytes.
  init(capacity: Int = 64, _ write: (inout ByteBuffer) -> Void) {
    var payload = ByteBuffer()
    payload.reserveCapacity(capacity + Self.mostHead + 2)
    // The length stands before the bytes and is known after them.
    payload.moveWriterIndex(forwardBy: Self.mostHead)
    write(&payload)
    let length = payload.writerIndex - Self.mostHead
    payload.writeString("\r\n")
    let head = String(length, radix: 16) + "\r\n"
    payload.setString(head, at: Self.mostHead - head.utf8.count)
    payload.moveReaderIndex(forwardBy: Self.mostHead - head.utf8.count)
    bytes = payload.getSlice(at: Self.mostHead, length: length) ?? ByteBuffer()
    chunk = payload
  }

  /// Enough for 2^32 bytes in hexadecimal digits, and a line end.
  private static let mostHead = 10

  var isEmpty: Bool { bytes.readableBytes == 0 }
}

extension EventFrame {
  /// The first line, so that a client and whatever is between see that the stream stands.
  static let opening = EventFrame { $0.writeString(": atomsync 1\n\n") }
  static let heartbeat = EventFrame { $0.writeString(":\n\n") }
  static let empty = EventFrame { _ in }

  /// Made once for readers of one user, which all write the same memory.
  static func page(_ shared: SharedPage, for user: String?) throws -> EventFrame {
    try shared.encoded(for: user) { page in
      var page = page
      page.user = user
      return event("page", id: page.cursor.text, try TransitCodec.transitJSON.encode(page))
    }
  }

  static func revoked(group: String) throws -> EventFrame {
    event("revoked", id: nil, try TransitCodec.transitJSON.encode(Revocation(group: group)))
  }

  /// Tells a client when to connect again, once the stream has ended.
  static func retry(after delay: Duration) -> EventFrame {
    EventFrame { $0.writeString("retry: \(Int(delay / .milliseconds(1)))\n\n") }
  }

  /// - Parameter data: one line: Transit-JSON escapes line ends.
  private static func event(_ name: String, id: String?, _ data: [UInt8]) -> EventFrame {
    EventFrame(capacity: data.count + 64 + (id?.utf8.count ?? 0)) { buffer in
      if let id { buffer.writeString("id: \(id)\n") }
      buffer.writeString("event: \(name)\ndata: ")
      buffer.writeBytes(data)
      buffer.writeString("\n\n")
    }
  }
}
