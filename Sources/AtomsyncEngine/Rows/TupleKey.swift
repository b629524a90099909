internal import Foundation

/// A key made of parts whose byte order is the parts' order.
///
/// A space (one byte), then strings as UTF-8 closed by 00 (a 00 inside becomes 00 FF) and numbers as eight bytes,
/// most significant first. With a group of 128 and an id of 256 bytes a key stays below 448 bytes.
package struct TupleKey {
  private(set) var bytes: [UInt8]

  init(_ space: Space) {
    bytes = []
    bytes.reserveCapacity(Self.usualBytes)
    bytes.append(space.rawValue)
  }

  /// Enough for most keys.
  private static let usualBytes = 64

  consuming func appending(_ text: String) -> TupleKey {
    append(text)
    return self
  }

  consuming func appending(_ number: Int64) -> TupleKey {
    withUnsafeBytes(of: UInt64(bitPattern: number).bigEndian) { bytes.append(contentsOf: $0) }
    return self
  }

  private mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { utf8 in
      if let start = utf8.baseAddress, memchr(start, 0, utf8.count) != nil {
        for byte in utf8 { bytes += byte == 0 ? [0, 0xFF] : [byte] }
      } else {
        bytes.append(contentsOf: utf8)
      }
    }
    bytes.append(0)
  }

  /// Where the text after a prefix of some length in `key` ends: the index of the 00 that closes it; `nil` when nothing does.
  static func endOfText(in key: [UInt8], after prefix: Int) -> Int? {
    var index = prefix
    while let zero = key.dropFirst(index).firstIndex(of: 0) {
      guard zero + 1 < key.endIndex, key[zero + 1] == 0xFF else { return zero }
      index = zero + 2
    }
    return nil
  }

  /// The number that ends `key`; `nil` when it is too short.
  package static func trailingNumber(_ key: [UInt8]) -> Int64? {
    guard key.count >= 8 else { return nil }
    return Int64(
      bigEndian: key.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: key.count - 8, as: Int64.self) })
  }

  /// The text after a prefix of some length in `key`, up to its 00; `nil` when it is not UTF-8.
  package static func text(in key: [UInt8], after prefix: Int) -> String? {
    var rest = key.dropFirst(prefix)
    var bytes: [UInt8] = []
    while let zero = rest.firstIndex(of: 0) {
      let next = zero + 1
      guard next < key.endIndex, key[next] == 0xFF else {
        rest = rest[..<zero]
        break
      }
      bytes += rest[...zero]
      rest = key[(next + 1)...]
    }
    if bytes.isEmpty { return String(validating: rest, as: UTF8.self) }
    return String(validating: bytes + rest, as: UTF8.self)
  }
}

/// What the first byte of a key says. Never reuse one.
package enum Space: UInt8 {
  /// What the store is: format, kind, identity.
  case header = 0x00

  // An authority's.
  /// group → counter, horizon, floor and epoch
  case group = 0x67  // g
  /// group, id → where the document is in the change index, and its version
  case document = 0x64  // d
  /// group, sequence → the document
  case change = 0x63  // c
  /// group, client, user → the client's last push and the verdicts
  case push = 0x70  // p
  /// → the epoch that changes are written in
  case epoch = 0x65  // e
  /// group, epoch → where it ended
  case epochEnd = 0x6E  // n

  // A replica's.
  /// atom → group, cursor, client id and counters
  case atom = 0x61  // a
  /// atom, id → the server's document
  case base = 0x42  // B
  /// atom, id → the edit that the server has not confirmed
  case pending = 0x50  // P
  /// atom → the push in flight
  case inFlight = 0x66  // f
  /// atom, id → the edit that is permanently rejected
  case rejected = 0x52  // R
  /// atom, number → a conflict and what lost
  case conflict = 0x58  // X
  /// atom, id, edit → the server's verdict
  case verdict = 0x56  // V

  // Of store format 1.
  case formerAtom = 0x41  // A
  case formerInFlight = 0x46  // F
}
