internal import AtomsyncCore
internal import Foundation

/// Writes the fields of a stored record: numbers as eight bytes, byte strings with their length before them.
///
/// Records are read by nothing but ``RecordReader``; the header's format number covers their layout.
struct RecordWriter {
  private(set) var bytes: [UInt8] = []

  init(reserving count: Int = 64) { bytes.reserveCapacity(count) }

  mutating func write(_ number: Int64) {
    withUnsafeBytes(of: UInt64(bitPattern: number).bigEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func write(_ flag: Bool) { bytes.append(flag ? 1 : 0) }

  mutating func write(_ blob: [UInt8]) {
    let count = UInt32(truncatingIfNeeded: blob.count)
    withUnsafeBytes(of: count.bigEndian) { bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: blob)
  }

  mutating func write(_ text: String) {
    var text = text
    text.withUTF8 { utf8 in
      let count = UInt32(truncatingIfNeeded: utf8.count)
      withUnsafeBytes(of: count.bigEndian) { bytes.append(contentsOf: $0) }
      bytes.append(contentsOf: utf8)
    }
  }

  mutating func write(_ id: UUID) { withUnsafeBytes(of: id.uuid) { bytes.append(contentsOf: $0) } }

  mutating func write<Value>(_ value: Value?, _ body: (inout RecordWriter, Value) -> Void) {
    write(value != nil)
    if let value { body(&self, value) }
  }

  mutating func write(_ content: Content) {
    write(content.payload) { $0.write($1.bytes) }
  }
}

/// Reads what ``RecordWriter`` wrote, and throws `corrupt` on anything else.
struct RecordReader {
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
    var id = UUID().uuid
    withUnsafeMutableBytes(of: &id) { $0.copyBytes(from: bytes[(end - 16)..<end]) }
    return UUID(uuid: id)
  }

  mutating func optional<Value>(_ body: (inout RecordReader) throws -> Value) throws -> Value? {
    try flag() ? try body(&self) : nil
  }

  mutating func list<Value>(_ body: (inout RecordReader) throws -> Value) throws -> [Value] {
    let count = try number()
    guard count >= 0, count <= bytes.count else { throw corrupt }
    return try (0..<count).map { _ in try body(&self) }
  }

  mutating func payload() throws -> Payload { Payload(bytes: try blob()) }

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
      .corrupt,
      "A record of \(bytes.count) bytes in the store cannot be read. Restore the store from a backup.")
  }
}

extension RecordWriter {
  mutating func list<Element>(_ elements: [Element], _ body: (inout RecordWriter, Element) -> Void) {
    write(Int64(elements.count))
    for element in elements { body(&self, element) }
  }
}
