internal import CZlib
internal import NIOCore

/// Reads one gzip stream (RFC 1952), piece by piece, and never makes more of it than it is allowed to.
final class GzipReader {
  enum Failure: Error {
    /// The bytes are not gzip, or something follows its end.
    case malformed
    /// There is more than was allowed.
    case tooLarge
    case outOfMemory
  }

  private let stream: UnsafeMutablePointer<z_stream>
  private let limit: Int
  private var count = 0
  private(set) var isComplete = false

  private static let gzip: Int32 = 16
  private static let windowBits: Int32 = 15

  /// - Parameter limit: the most bytes that may come out.
  init(limit: Int) throws(Failure) {
    self.limit = limit
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let status = inflateInit2_(
      stream, Self.gzip + Self.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else { throw .outOfMemory }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Hands out what the next bytes come to, 16 KiB at a time, so that whoever counts them can stop.
  ///
  /// - Throws: ``Failure``; what `receive` throws.
  func read(_ bytes: ByteBuffer, _ receive: (ByteBuffer) throws -> Void) throws {
    if bytes.readableBytes == 0 { return }
    if isComplete { throw Failure.malformed }
    try bytes.withUnsafeReadableBytes { input in
      // zlib reads through this pointer and does not write.
      stream.pointee.next_in = UnsafeMutablePointer(
        mutating: input.bindMemory(to: Bytef.self).baseAddress)
      stream.pointee.avail_in = UInt32(input.count)
      defer { stream.pointee.next_in = nil }
      var isFull = true
      while isFull && !isComplete {
        let (piece, status) = step()
        isFull = stream.pointee.avail_out == 0
        count += piece.readableBytes
        if count > limit { throw Failure.tooLarge }
        try check(status)
        try receive(piece)
      }
    }
  }

  private static let pieceBytes = 16 << 10

  private func step() -> (ByteBuffer, Int32) {
    var piece = ByteBuffer()
    var status = Z_OK
    piece.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.pieceBytes) { space in
      stream.pointee.next_out = space.bindMemory(to: Bytef.self).baseAddress
      stream.pointee.avail_out = UInt32(Self.pieceBytes)
      status = inflate(stream, Z_NO_FLUSH)
      return Self.pieceBytes - Int(stream.pointee.avail_out)
    }
    return (piece, status)
  }

  private func check(_ status: Int32) throws(Failure) {
    switch status {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END:
      isComplete = true
      if stream.pointee.avail_in > 0 { throw .malformed }
    case Z_MEM_ERROR: throw .outOfMemory
    default: throw .malformed
    }
  }
}
