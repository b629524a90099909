internal import AtomsyncCore
internal import Foundation

/// Writes a stored row: a byte for the format, then fields, each a tag and its content.
///
/// A tag is a byte: the field's number (1 to 63) and its kind (``RowKind``). So a reader notices a field that it does
/// not know, which a newer program has written, instead of guessing. A number never gets another meaning; a field that
/// is no longer needed leaves its number unused. Numbers are zigzag varints (Protocol Buffers, "Encoding"), byte strings
/// have their length before them as a varint.
struct RowWriter {
  static let format: UInt8 = 1
  private(set) var bytes: [UInt8] = []

  init(reserving count: Int = 64) {
    bytes.reserveCapacity(count)
    bytes.append(Self.format)
  }

  mutating func write(_ field: some RowField, _ number: Int64) {
    tag(field, .number)
    varint(UInt64(bitPattern: (number << 1) ^ (number >> 63)))
  }

  mutating func write(_ field: some RowField, _ number: Int64?) {
    if let number { write(field, number) }
  }

  /// Nothing for false: a flag that is not there is not set.
  mutating func write(_ field: some RowField, flag: Bool) {
    if flag { tag(field, .flag) }
  }

  mutating func write(_ field: some RowField, _ blob: [UInt8]) {
    tag(field, .blob)
    varint(UInt64(blob.count))
    bytes.append(contentsOf: blob)
  }

  mutating func write(_ field: some RowField, _ blob: [UInt8]?) {
    if let blob { write(field, blob) }
  }

  mutating func write(_ field: some RowField, _ text: String) {
    tag(field, .blob)
    var text = text
    text.withUTF8 { utf8 in
      varint(UInt64(utf8.count))
      bytes.append(contentsOf: utf8)
    }
  }

  mutating func write(_ field: some RowField, _ text: String?) {
    if let text { write(field, text) }
  }

  mutating func write(_ field: some RowField, _ id: UUID) {
    tag(field, .blob)
    varint(16)
    withUnsafeBytes(of: id.uuid) { bytes.append(contentsOf: $0) }
  }

  mutating func write(_ field: some RowField, _ id: UUID?) {
    if let id { write(field, id) }
  }

  /// A list: the field once for each element, as a row of its own.
  mutating func write<Element>(
    _ field: some RowField, each elements: [Element], _ body: (inout RowWriter, Element) -> Void
  ) {
    for element in elements {
      var row = RowWriter()
      body(&row, element)
      write(field, row.bytes)
    }
  }

  private mutating func tag(_ field: some RowField, _ kind: RowKind) {
    bytes.append(field.rawValue << 2 | kind.rawValue)
  }

  private mutating func varint(_ number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }
}

/// How a field's content is written.
enum RowKind: UInt8 {
  case number = 0
  case blob = 1
  case flag = 2
}

/// The fields of one kind of row, by their numbers.
protocol RowField: RawRepresentable<UInt8> {}

/// Reads what ``RowWriter`` wrote. Anything else is `corrupt`, what a newer program wrote is `newerFormat`.
struct RowReader {
  private let bytes: ArraySlice<UInt8>
  private var index: Int
  private var kind = RowKind.flag

  /// Whether the row has fields with tags. Rows of before there were tags begin with a zero.
  static func isTagged(_ bytes: [UInt8]) -> Bool { bytes.first != 0 }

  /// - Throws: `StorageError` with `newerFormat`, or `corrupt`.
  init(_ bytes: [UInt8]) throws { try self.init(bytes[...]) }

  private init(_ bytes: ArraySlice<UInt8>) throws {
    guard let format = bytes.first, format > 0 else { throw Self.corrupt(bytes.count) }
    guard format == RowWriter.format else {
      throw Self.newer("a row of format \(format), and this one knows format \(RowWriter.format)")
    }
    self.bytes = bytes
    index = bytes.startIndex + 1
  }

  /// The next field; `nil` at the end. Its content has to be read before the field after it.
  ///
  /// - Throws: `newerFormat` for a field that this program does not know.
  mutating func next<Field: RowField>(_ type: Field.Type) throws -> Field? {
    guard index < bytes.endIndex else { return nil }
    let tag = bytes[index]
    index += 1
    guard let kind = RowKind(rawValue: tag & 3), let field = Field(rawValue: tag >> 2) else {
      throw Self.newer("a field that this one does not know (\(tag >> 2))")
    }
    self.kind = kind
    return field
  }

  mutating func number() throws -> Int64 {
    guard kind == .number else { throw corrupt }
    let number = try varint()
    return Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
  }

  /// A number that counts something.
  mutating func count() throws -> Int64 {
    let number = try number()
    guard Int64.counts.contains(number) else { throw corrupt }
    return number
  }

  /// The content of a flag that is set.
  func flag() throws -> Bool {
    guard kind == .flag else { throw corrupt }
    return true
  }

  mutating func blob() throws -> [UInt8] { Array(try slice()) }

  mutating func text() throws -> String {
    guard let text = String(validating: try slice(), as: UTF8.self) else { throw corrupt }
    return text
  }

  mutating func uuid() throws -> UUID {
    guard let id = UUID(bytes: try slice()) else { throw corrupt }
    return id
  }

  mutating func payload() throws -> Payload { Payload(bytes: try blob()) }

  /// A row inside this one.
  mutating func row() throws -> RowReader { try RowReader(try slice()) }

  /// What a row cannot be without.
  func required<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw corrupt }
    return value
  }

  private mutating func slice() throws -> ArraySlice<UInt8> {
    guard kind == .blob else { throw corrupt }
    let count = try varint()
    guard count <= UInt64(bytes.endIndex - index) else { throw corrupt }
    defer { index += Int(count) }
    return bytes[index..<(index + Int(count))]
  }

  private mutating func varint() throws -> UInt64 {
    var number: UInt64 = 0
    for shift in stride(from: 0 as UInt64, to: 64, by: 7) {
      guard index < bytes.endIndex else { throw corrupt }
      let byte = bytes[index]
      index += 1
      number |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return number }
    }
    throw corrupt
  }

  var corrupt: StorageError { Self.corrupt(bytes.count) }

  private static func corrupt(_ count: Int) -> StorageError {
    StorageError(
      .corrupt, "A row of \(count) bytes in the store cannot be read. Restore the store from a backup.")
  }

  /// - Parameter what: what was found.
  static func newer(_ what: String) -> StorageError {
    StorageError(.newerFormat, "A newer Atomsync wrote the store: it holds \(what). Update this program.")
  }
}

extension Int64 {
  /// Versions, sequences and the like: not negative, and one more can always be counted, without an overflow.
  static let counts: Range<Int64> = 0..<1 << 62
}
