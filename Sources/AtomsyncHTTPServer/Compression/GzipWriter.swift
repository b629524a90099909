internal import CZlib
internal import NIOCore

/// Writes one gzip stream (RFC 1952), piece by piece.
final class GzipWriter {
  /// What a stream costs while it stands, and how far back it finds repetitions.
  enum Size {
    /// A whole answer: 256 KiB, for a moment.
    case answer
    /// A live stream: 24 KiB for as long as it is open, and a window of 4 KiB.
    case stream

    fileprivate var windowBits: Int32 { self == .answer ? 15 : 12 }
    fileprivate var memoryLevel: Int32 { self == .answer ? 8 : 4 }
  }

  private let stream: UnsafeMutablePointer<z_stream>

  /// Adding this to the bits of the window asks zlib for gzip.
  private static let gzip: Int32 = 16
  /// Fast: twice the speed of zlib's default for a tenth more bytes.
  private static let level: Int32 = 2

  /// `nil` when there is no memory for it.
  init?(_ size: Size) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let status = deflateInit2_(
      stream, Self.level, Z_DEFLATED, Self.gzip + size.windowBits, size.memoryLevel, Z_DEFAULT_STRATEGY,
      ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else { return nil }
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  /// The bytes, so that the reader can have all of them at once.
  func write(_ bytes: ByteBuffer) -> ByteBuffer { deflate(bytes, Z_SYNC_FLUSH) }

  /// The last bytes, and the end.
  func finish(_ bytes: ByteBuffer = ByteBuffer()) -> ByteBuffer { deflate(bytes, Z_FINISH) }

  private func deflate(_ bytes: ByteBuffer, _ flush: Int32) -> ByteBuffer {
    var output = ByteBuffer()
    bytes.withUnsafeReadableBytes { input in
      // zlib reads through this pointer and does not write.
      stream.pointee.next_in = UnsafeMutablePointer(
        mutating: input.bindMemory(to: Bytef.self).baseAddress)
      stream.pointee.avail_in = UInt32(input.count)
      var isFull = true
      while isFull {
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: max(1024, input.count / 4)) { space in
          let count = min(space.count, Int(UInt32.max))
          stream.pointee.next_out = space.bindMemory(to: Bytef.self).baseAddress
          stream.pointee.avail_out = UInt32(count)
          CZlib.deflate(stream, flush)
          isFull = stream.pointee.avail_out == 0
          return count - Int(stream.pointee.avail_out)
        }
      }
      stream.pointee.next_in = nil
    }
    return output
  }
}
