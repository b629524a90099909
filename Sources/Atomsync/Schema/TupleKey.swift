/// A key made of parts whose byte order is the parts' order.
///
/// A space (one byte), then strings as UTF-8 closed by 00 (a 00 inside becomes 00 FF) and numbers as eight bytes,
/// most significant first. With a group of 128 and an id of 256 bytes a key stays below 448 bytes.
struct TupleKey {
  private(set) var bytes: [UInt8]

  init(_ space: Space) { bytes = [space.rawValue] }

  func appending(_ text: String) -> TupleKey {
    var key = self
    key.bytes.reserveCapacity(bytes.count + text.utf8.count + 9)
    for byte in text.utf8 {
      key.bytes.append(byte)
      if byte == 0 { key.bytes.append(0xFF) }
    }
    key.bytes.append(0)
    return key
  }

  func appending(_ number: Int64) -> TupleKey {
    var key = self
    withUnsafeBytes(of: UInt64(bitPattern: number).bigEndian) { key.bytes.append(contentsOf: $0) }
    return key
  }

  /// The number that ends `key`; `nil` when it is too short.
  static func trailingNumber(_ key: [UInt8]) -> Int64? {
    guard key.count >= 8 else { return nil }
    return Int64(bitPattern: key.suffix(8).reduce(0) { $0 << 8 | UInt64($1) })
  }

  /// The text after `prefix` in `key`, up to its 00; `nil` when it is not UTF-8.
  static func text(in key: [UInt8], after prefix: [UInt8]) -> String? {
    var bytes: [UInt8] = []
    var index = prefix.count
    while index < key.count {
      let byte = key[index]
      if byte == 0 {
        guard index + 1 < key.count, key[index + 1] == 0xFF else { break }
        index += 1
      }
      bytes.append(byte)
      index += 1
    }
    return String(validating: bytes, as: UTF8.self)
  }
}

/// What the first byte of a key says. Never reuse one.
enum Space: UInt8 {
  /// What the store is: format, kind, identity.
  case header = 0x00

  // An authority's.
  /// group → counter and horizon
  case group = 0x67  // g
  /// group, id → where the document is in the change index, and its version
  case document = 0x64  // d
  /// group, sequence → the document
  case change = 0x63  // c
  /// group, client → its last push and the verdicts
  case push = 0x70  // p

  // A replica's.
  /// atom → cursor, client id and counters
  case atom = 0x41  // A
  /// atom, id → the server's document
  case base = 0x42  // B
  /// atom, id → the edit that the server has not confirmed
  case pending = 0x50  // P
  /// atom → the push in flight
  case inFlight = 0x46  // F
  /// atom, id → the edit that can never go
  case rejected = 0x52  // R
  /// atom, number → a conflict and what lost
  case conflict = 0x58  // X
  /// atom, id, edit → the server's verdict
  case verdict = 0x56  // V
}
