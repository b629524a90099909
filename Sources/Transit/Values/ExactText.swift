/// Comparison of texts by their code units.
///
/// Swift compares strings by canonical equivalence, so that "é" as one scalar and as two are equal. Transit does not:
/// two keys that differ in their code units are two keys everywhere else, and must stay two here.
enum ExactText {
  private typealias Bits = (UInt64, UInt64)

  /// Whether two texts have the same code units. O(n), without normalization.
  @inline(__always)
  static func equal(_ left: String, _ right: String) -> Bool {
    // Short texts lie in the value itself, and long ones are often the same object.
    if MemoryLayout<String>.size == MemoryLayout<Bits>.size,
      unsafeBitCast(left, to: Bits.self) == unsafeBitCast(right, to: Bits.self)
    {
      return true
    }
    let count = left.utf8.count
    guard count == right.utf8.count else { return false }
    let fast = left.utf8.withContiguousStorageIfAvailable { a in
      right.utf8.withContiguousStorageIfAvailable { b in
        sameBytes(a, b)
      }
    }
    if let fast, let answer = fast { return answer }
    return left.utf8.elementsEqual(right.utf8)
  }

  /// Orders texts by their code units. O(n).
  static func less(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }

  /// Feeds the code units of a text to a hasher. O(n).
  @inline(__always)
  static func hash(_ text: String, into hasher: inout Hasher) {
    let done: Void? = text.utf8.withContiguousStorageIfAvailable { bytes in
      hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
    }
    if done == nil {
      for byte in text.utf8 { hasher.combine(byte) }
    }
    hasher.combine(0xFF as UInt8)
  }

  @inline(__always)
  static func sameBytes(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let left = a.baseAddress, let right = b.baseAddress else { return a.count == b.count }
    return sameBytes(left, right, a.count)
  }

  @inline(__always)
  static func sameBytes(_ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    let a = UnsafeRawPointer(left)
    let b = UnsafeRawPointer(right)
    var index = 0
    while index &+ 8 <= count {
      if a.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        != b.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      {
        return false
      }
      index &+= 8
    }
    while index < count {
      if left[index] != right[index] { return false }
      index &+= 1
    }
    return true
  }
}
