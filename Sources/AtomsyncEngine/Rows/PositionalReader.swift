internal import AtomsyncCore
internal import Foundation

/// Reads rows of store format 1, whose fields had no tags: numbers as eight bytes, byte strings with their length in
/// four bytes before them. Nothing writes them any more, except the store's header (``StoreHeader``).
struct PositionalReader {
  private let bytes: [UInt8]
  private var index = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { index == bytes.count }

  mutating func number() throws -> Int64 {
    let end = try advance(8)
    return bytes.withUnsafeBytes {
      Int64(bigEndian: $0.loadUnaligned(fromByteOffset: end - 8, as: Int64.self))
    }
  }

  mutating func flag() throws -> Bool { bytes[try advance(1) - 1] != 0 }

  mutating func blob() throws -> [UInt8] {
    let count = try length()
    let end = try advance(count)
    return Array(bytes[(end - count)..<end])
  }

  mutating func text() throws -> String {
    let count = try length()
    let end = try advance(count)
    guard let text = String(validating: bytes[(end - count)..<end], as: UTF8.self) else { throw corrupt }
    return text
  }

  mutating func uuid() throws -> UUID {
    let end = try advance(16)
    guard let id = UUID(bytes: bytes[(end - 16)..<end]) else { throw corrupt }
    return id
  }

  mutating func optional<Value>(_ body: (inout PositionalReader) throws -> Value) throws -> Value? {
    try flag() ? try body(&self) : nil
  }

  mutating func list<Value>(_ body: (inout PositionalReader) throws -> Value) throws -> [Value] {
    let count = try number()
    guard count >= 0, count <= bytes.count else { throw corrupt }
    return try (0..<count).map { _ in try body(&self) }
  }

  mutating func payload() throws -> Payload { Payload(bytes: try blob()) }

  mutating func value() throws -> StoredValue? { try optional { try StoredValue(try $0.payload()) } }

  mutating func content() throws -> Content {
    try optional { try $0.payload() }.map { .value($0) } ?? .deleted
  }

  private mutating func length() throws -> Int {
    let end = try advance(4)
    return bytes.withUnsafeBytes {
      Int(UInt32(bigEndian: $0.loadUnaligned(fromByteOffset: end - 4, as: UInt32.self)))
    }
  }

  private mutating func advance(_ count: Int) throws -> Int {
    guard count <= bytes.count - index else { throw corrupt }
    index += count
    return index
  }

  private var corrupt: StorageError {
    StorageError(
      .corrupt, "A row of \(bytes.count) bytes in the store cannot be read. Restore the store from a backup.")
  }
}
