internal import NIOCore

/// Pieces of a body that wait for its reader. Small ones are put together, so that a client that sends single bytes takes no more memory than
/// another.
struct BodyPieces {
  private(set) var buffers: [ByteBuffer] = []
  private(set) var byteCount = 0

  mutating func append(_ piece: ByteBuffer) {
    byteCount += piece.readableBytes
    if buffers.isEmpty || !buffers[buffers.count - 1].gather(piece) { buffers.append(piece) }
  }

  /// What waits, after which nothing does.
  mutating func takeAll() -> [ByteBuffer] {
    defer { self = BodyPieces() }
    return buffers
  }
}

extension ByteBuffer {
  /// Appends a piece that is small, unless this has enough. What is appended is copied: a piece is a part of what was read from the socket, and keeps all of that.
  ///
  /// - Returns: whether it was appended.
  mutating func gather(_ piece: ByteBuffer) -> Bool {
    guard piece.readableBytes < Self.smallBytes, readableBytes < Self.gatheredBytes else { return false }
    writeImmutableBuffer(piece)
    return true
  }

  private static let smallBytes = 4 << 10
  private static let gatheredBytes = 64 << 10
}
