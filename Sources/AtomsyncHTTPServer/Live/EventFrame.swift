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

  private init(bytes: ByteBuffer, chunk: ByteBuffer) { (self.bytes, self.chunk) = (bytes, chunk) }

  /// The frame in pieces that are written one after the other, in the same memory. A piece is small enough that a reader who takes it slowly is not
  /// taken for one who takes nothing.
  var pieces: [EventFrame] {
    let count = (chunk.readableBytes - 1) / Self.pieceBytes + 1
    if count <= 1 { return [self] }
    return (0..<count).map { index in
      EventFrame(bytes: Self.piece(index, of: count, bytes), chunk: Self.piece(index, of: count, chunk))
    }
  }

  private static func piece(_ index: Int, of count: Int, _ buffer: ByteBuffer) -> ByteBuffer {
    let (from, to) = (buffer.readableBytes * index / count, buffer.readableBytes * (index + 1) / count)
    return buffer.getSlice(at: buffer.readerIndex + from, length: to - from) ?? ByteBuffer()
  }

  private static let pieceBytes = 64 << 10

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
