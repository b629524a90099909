#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

extension [UInt8] {
  /// Whether these bytes order before `other`: as unsigned bytes, shorter first.
  public func precedes(_ other: [UInt8]) -> Bool {
    let order = withUnsafeBytes { mine in
      other.withUnsafeBytes { theirs -> Int32 in
        let common = Swift.min(mine.count, theirs.count)
        guard common > 0, let left = mine.baseAddress, let right = theirs.baseAddress else { return 0 }
        return memcmp(left, right, common)
      }
    }
    return order == 0 ? count < other.count : order < 0
  }
}
