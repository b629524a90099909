internal import Synchronization

/// Names for requests that have none of their own, each given once by this process and hardly ever by another.
enum RequestNumber {
  private static let first = UInt64.random(in: .min ... .max)
  private static let count = Atomic<UInt64>(0)
  /// An odd number, so that names that follow each other look nothing alike: 2^64 divided by the golden ratio.
  private static let stride: UInt64 = 0x9E37_79B9_7F4A_7C15

  static func next() -> String {
    let number = count.wrappingAdd(1, ordering: .relaxed).newValue
    return String(first &+ number &* stride, radix: 36)
  }
}
