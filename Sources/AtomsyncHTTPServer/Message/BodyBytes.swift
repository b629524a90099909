internal import NIOCore

/// The bytes of a body as they come: bounded, counted while they are not complete, and inflated where they are compressed.
struct BodyBytes: ~Copyable {
  enum Failure: Error { case tooLarge, busy }

  private var bytes: [UInt8] = []
  private let limit: Int
  private let memory: Quota
  private let gzip: GzipReader?
  private var counted = 0

  /// The first bytes of a body that every client may send, whatever others do.
  private static let uncountedBytes = 16 << 10

  /// - Parameter memory: what all bodies that are not complete may take together.
  init(limit: Int, memory: Quota, _ gzip: GzipReader?) {
    self.limit = limit
    self.memory = memory
    self.gzip = gzip
  }

  deinit { if counted > 0 { memory.giveBack(counted) } }

  /// - Throws: ``Failure``, `GzipReader.Failure`.
  mutating func read(_ piece: ByteBuffer) throws {
    if let gzip { try gzip.read(piece) { try append($0) } } else { try append(piece) }
  }

  /// All of them.
  ///
  /// - Throws: `GzipReader.Failure` when there should be more.
  consuming func finish() throws -> [UInt8] {
    if let gzip, !gzip.isComplete { throw GzipReader.Failure.malformed }
    return bytes
  }

  private mutating func append(_ piece: ByteBuffer) throws {
    let size = bytes.count + piece.readableBytes
    if size > limit { throw Failure.tooLarge }
    let more = max(0, size - Self.uncountedBytes) - counted
    if more > 0 {
      guard memory.take(more) else { throw Failure.busy }
      counted += more
    }
    bytes.append(contentsOf: piece.readableBytesView)
  }
}
