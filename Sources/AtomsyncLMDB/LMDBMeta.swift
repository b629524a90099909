#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// What LMDB's data format 1 keeps in one of its two meta pages, read without LMDB.
///
/// The offsets are those of a 64-bit machine: after the page's header of 16 bytes come the magic number, the
/// version, an address and the map's size; then 48 bytes for the list of free pages, which hold the page size
/// and a root; 48 for the unnamed database; the last page and the transaction.
struct LMDBMeta {
  private static let length = 152
  private let bytes: [UInt8]

  init?(_ descriptor: Int32, offset: Int) {
    var bytes = [UInt8](repeating: 0, count: Self.length)
    let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
    guard count == Self.length else { return nil }
    self.bytes = bytes
  }

  var isLMDB: Bool { number(16, as: UInt32.self) == 0xBEEF_C0DE && (256...65_536).contains(pageSize) }
  var pageSize: UInt32 { number(40, as: UInt32.self) }
  var transaction: UInt64 { number(144, as: UInt64.self) }

  /// Whether the two trees' roots lie inside a file of `size` bytes.
  func fits(_ size: Int) -> Bool {
    let pages = UInt64(size) / UInt64(pageSize)
    return [80, 128].allSatisfy {
      let root = number($0, as: UInt64.self)
      return root == .max || root < pages
    }
  }

  private func number<Number: FixedWidthInteger>(_ offset: Int, as: Number.Type) -> Number {
    bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Number.self) }
  }
}
