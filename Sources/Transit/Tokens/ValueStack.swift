/// Values that belong to composites still open, in one growing buffer.
///
/// A composite takes its items off in one move when it ends, into an array of exactly their number.
struct ValueStack: ~Copyable {
  private var base: UnsafeMutablePointer<TransitValue>
  private var capacity: Int
  private(set) var count = 0

  init() {
    capacity = 64
    base = .allocate(capacity: capacity)
  }

  deinit {
    base.deinitialize(count: count)
    base.deallocate()
  }

  @inline(__always)
  mutating func push(_ value: consuming TransitValue) {
    if count == capacity { grow() }
    (base + count).initialize(to: value)
    count &+= 1
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<TransitValue>.allocate(capacity: capacity * 2)
    larger.moveInitialize(from: base, count: count)
    base.deallocate()
    base = larger
    capacity *= 2
  }

  /// Takes the last value off. There must be one.
  mutating func pop() -> TransitValue {
    count &-= 1
    return (base + count).move()
  }

  /// Takes all values from `mark` on off.
  @inline(__always)
  mutating func take(from mark: Int) -> FlatValues {
    let taken = count &- mark
    count = mark
    return FlatValues(moving: base + mark, count: taken)
  }

  /// Takes all values from `mark` on off, as an array.
  @inline(__always)
  mutating func takeArray(from mark: Int) -> [TransitValue] {
    let taken = count &- mark
    if taken == 0 { return [] }
    count = mark
    let source = base + mark
    return [TransitValue](unsafeUninitializedCapacity: taken) { target, initialized in
      target.baseAddress?.moveInitialize(from: source, count: taken)
      initialized = taken
    }
  }

  /// The value at a position, which must be below `count`.
  subscript(position: Int) -> TransitValue { base[position] }
}
