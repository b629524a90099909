internal import Foundation

extension UUID {
  /// All bits zero: names nothing. `UUID()` asks the system for random bits, which costs more than reading a row.
  static let zero = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))

  /// From 16 bytes; `nil` for any other number.
  init?(bytes: ArraySlice<UInt8>) {
    guard bytes.count == 16 else { return nil }
    var id = UUID.zero.uuid
    withUnsafeMutableBytes(of: &id) { $0.copyBytes(from: bytes) }
    self.init(uuid: id)
  }
}
