/// Bytes being written: room is made first, then written without further checks.
struct OutputBuffer: ~Copyable {
  private(set) var base: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  var count = 0
  private let limit: Int

  init(capacity: Int, limit: Int) {
    self.limit = limit
    self.capacity = max(capacity, 64)
    base = .allocate(capacity: self.capacity)
  }

  deinit { base.deallocate() }

  /// Whether more was written than is allowed: then nothing more should be.
  @inline(__always)
  var isFull: Bool { count > limit }

  /// Where the next byte goes.
  @inline(__always)
  var cursor: UnsafeMutablePointer<UInt8> { base + count }

  /// Makes room for `size` more bytes.
  @inline(__always)
  mutating func reserve(_ size: Int) {
    if capacity &- count < size { grow(size) }
  }

  private mutating func grow(_ size: Int) {
    capacity = max(capacity * 2, count + size)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    larger.update(from: base, count: count)
    base.deallocate()
    base = larger
  }

  /// Adds a byte; room must have been made.
  @inline(__always)
  mutating func put(_ byte: UInt8) {
    base[count] = byte
    count &+= 1
  }

  /// Adds bytes; room must have been made.
  @inline(__always)
  mutating func put(_ bytes: UnsafePointer<UInt8>, _ length: Int) {
    cursor.update(from: bytes, count: length)
    count &+= length
  }

  /// Adds ASCII, making room for it.
  @inline(__always)
  mutating func append(_ text: StaticString) {
    reserve(text.utf8CodeUnitCount)
    put(text.utf8Start, text.utf8CodeUnitCount)
  }

  /// Adds a number in network order; room must have been made.
  @inline(__always)
  mutating func put<T: FixedWidthInteger>(bigEndian value: T) {
    UnsafeMutableRawPointer(cursor).storeBytes(of: value.bigEndian, as: T.self)
    count &+= MemoryLayout<T>.size
  }

  /// Moves what follows `offset` up by `size` bytes, leaving a gap of unspecified bytes.
  mutating func open(gap size: Int, at offset: Int) {
    reserve(size)
    let source = base + offset
    (source + size).update(from: source, count: count - offset)
    count += size
  }

  /// What was written, from `start` on.
  func bytes(from start: Int = 0) -> [UInt8] {
    [UInt8](UnsafeBufferPointer(start: base + start, count: count - start))
  }
}
