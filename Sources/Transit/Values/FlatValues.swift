/// Values in a row, copied on write: the storage of maps and sets.
///
/// It differs from an array in what it costs: one word, one allocation of exactly the wanted size, no storage at all
/// when empty.
struct FlatValues: @unchecked Sendable {
  // Unchecked, because the buffer is a class with changing memory. Sound, because it is changed, its digest included, only
  // through the one reference to it, as `isKnownUniquelyReferenced` tells: copies in other tasks never see a change.
  private var buffer: ValueBuffer?

  init() {
    buffer = nil
  }

  /// Moves initialized values out of memory that someone else owns.
  @inline(__always)
  init(moving source: UnsafeMutablePointer<TransitValue>, count: Int) {
    if count == 0 {
      buffer = nil
      return
    }
    let buffer = ValueBuffer.make(capacity: count)
    buffer.elements.moveInitialize(from: source, count: count)
    buffer.details.pointee.count = count
    self.buffer = buffer
  }

  init(_ values: some Collection<TransitValue>) {
    self.init()
    reserveCapacity(values.count)
    for value in values { append(value) }
  }

  @inline(__always)
  var count: Int { buffer?.details.pointee.count ?? 0 }

  @inline(__always)
  var isEmpty: Bool { buffer == nil || count == 0 }

  /// A digest of the values, for their owner to keep; zero where none is kept. It stays as it is when values change.
  @inline(__always)
  var digest: Int {
    get { buffer?.details.pointee.digest ?? 0 }
    set { unique(capacity: count).details.pointee.digest = newValue }
  }

  @inline(__always)
  subscript(position: Int) -> TransitValue {
    get { withUnsafeBufferPointer { $0[position] } }
    set { unique(capacity: count).elements[position] = newValue }
  }

  @inline(__always)
  func withUnsafeBufferPointer<R, Failure: Error>(
    _ body: (UnsafeBufferPointer<TransitValue>) throws(Failure) -> R
  ) throws(Failure) -> R {
    guard let buffer else { return try body(UnsafeBufferPointer(start: nil, count: 0)) }
    defer { withExtendedLifetime(buffer) {} }
    return try body(UnsafeBufferPointer(start: buffer.elements, count: buffer.details.pointee.count))
  }

  mutating func reserveCapacity(_ capacity: Int) {
    if capacity > 0 { _ = unique(capacity: capacity) }
  }

  mutating func append(_ value: TransitValue) {
    let count = count
    let buffer = unique(capacity: count + 1)
    (buffer.elements + count).initialize(to: value)
    buffer.details.pointee.count = count + 1
  }

  /// Removes some values and closes the gap. O(n).
  mutating func remove(at position: Int, count removed: Int) {
    let count = count
    let buffer = unique(capacity: count)
    let gap = buffer.elements + position
    gap.deinitialize(count: removed)
    gap.moveInitialize(from: gap + removed, count: count - position - removed)
    buffer.details.pointee.count = count - removed
  }

  /// The buffer, owned by this copy alone, with room for `capacity` values.
  private mutating func unique(capacity: Int) -> ValueBuffer {
    let alone = isKnownUniquelyReferenced(&buffer)
    if let buffer {
      if alone, buffer.details.pointee.capacity >= capacity { return buffer }
      let count = buffer.details.pointee.count
      let grown =
        capacity > buffer.details.pointee.capacity
        ? max(capacity, 2 * buffer.details.pointee.capacity) : capacity
      let copy = ValueBuffer.make(capacity: grown)
      if alone {
        copy.elements.moveInitialize(from: buffer.elements, count: count)
        buffer.details.pointee.count = 0
      } else {
        copy.elements.initialize(from: buffer.elements, count: count)
      }
      copy.details.pointee.count = count
      copy.details.pointee.digest = buffer.details.pointee.digest
      self.buffer = copy
      return copy
    }
    let fresh = ValueBuffer.make(capacity: max(capacity, 4))
    buffer = fresh
    return fresh
  }
}

/// The memory behind `FlatValues`.
///
/// The count, capacity and digest, three words, lie in the place of the first value, as raw memory: a property of a class, or
/// the header of a managed buffer, would be checked for overlapping access at every use.
private final class ValueBuffer: ManagedBuffer<Void, TransitValue> {
  struct Header {
    var count: Int
    let capacity: Int
    var digest = 0
  }

  @inline(__always)
  static func make(capacity: Int) -> ValueBuffer {
    let buffer = unsafeDowncast(
      ValueBuffer.create(minimumCapacity: capacity + 1) { _ in () }, to: ValueBuffer.self)
    buffer.details.initialize(to: Header(count: 0, capacity: capacity))
    return buffer
  }

  @inline(__always)
  private var start: UnsafeMutablePointer<TransitValue> { withUnsafeMutablePointerToElements { $0 } }

  @inline(__always)
  var elements: UnsafeMutablePointer<TransitValue> { start + 1 }

  @inline(__always)
  var details: UnsafeMutablePointer<Header> {
    UnsafeMutableRawPointer(start).assumingMemoryBound(to: Header.self)
  }

  deinit {
    var element = elements
    let end = element + details.pointee.count
    while element < end {
      switch element.pointee {
      // Nothing to release, and worth knowing: it saves a call.
      case .null, .bool, .int, .double, .instant, .uuid, .char: break
      default: element.deinitialize(count: 1)
      }
      element += 1
    }
  }
}
