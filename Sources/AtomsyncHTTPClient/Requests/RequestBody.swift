internal import AsyncHTTPClient
internal import NIOCore

/// The body of a request, which tells its progress as it is sent.
enum RequestBody {
  private static let chunkBytes = 64 << 10

  static func of(_ bytes: [UInt8], _ watchdog: Watchdog) -> HTTPClientRequest.Body {
    let body = ByteBuffer(bytes: bytes)
    if bytes.count <= chunkBytes { return .bytes(body) }
    return .stream(Chunks(rest: body, watchdog: watchdog), length: .known(Int64(bytes.count)))
  }

  /// The body in pieces. The connection asks for one when it has room for it.
  private struct Chunks: AsyncSequence, AsyncIteratorProtocol, Sendable {
    var rest: ByteBuffer
    let watchdog: Watchdog

    func makeAsyncIterator() -> Chunks { self }

    mutating func next() async -> ByteBuffer? {
      watchdog.progress()
      return rest.readSlice(length: Swift.min(chunkBytes, rest.readableBytes)).flatMap {
        $0.readableBytes > 0 ? $0 : nil
      }
    }
  }
}
