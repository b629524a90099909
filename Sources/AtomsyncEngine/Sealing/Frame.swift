internal import AtomsyncCore

/// Bytes of known parts that are padded before they are sealed, so that their length tells little. (Docs/Protocol.md §12.)
struct FrameWriter {
  private(set) var bytes: [UInt8] = []

  init(reserving count: Int) { bytes.reserveCapacity(Padding.length(of: count)) }

  mutating func write(_ number: some FixedWidthInteger) {
    withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
  }

  /// A length of two bytes, and the text in UTF-8.
  mutating func write(_ text: String) {
    write(UInt16(truncatingIfNeeded: text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  /// A length of four bytes, and the content.
  mutating func write(_ content: [UInt8]) {
    write(UInt32(truncatingIfNeeded: content.count))
    bytes.append(contentsOf: content)
  }

  /// The parts, and zeros up to the next step.
  var padded: [UInt8] {
    bytes + [UInt8](repeating: 0, count: Padding.length(of: bytes.count) - bytes.count)
  }
}

/// Reads what ``FrameWriter`` wrote. What is too short for its parts was made by another program: `damaged`.
struct FrameReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) throws(CipherError) -> Number {
    try take(Number.bitWidth / 8).reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
  }

  mutating func text() throws(CipherError) -> String {
    let length = try number(UInt16.self)
    guard let text = String(validating: try take(Int(length)), as: UTF8.self) else { throw .damaged }
    return text
  }

  mutating func content() throws(CipherError) -> [UInt8] {
    let length = try number(UInt32.self)
    return Array(try take(Int(length)))
  }

  private mutating func take(_ count: Int) throws(CipherError) -> ArraySlice<UInt8> {
    guard count <= rest.count else { throw .damaged }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }
}

/// The lengths that sealed bytes have.
package enum Padding {
  /// The next multiple of 32 bytes; and for what is longer than 256 bytes, the next length of which only the first digits
  /// in base 2 are told, as many as the length has digits to count them: at most 12 % more. (Padmé, in "Reducing Metadata
  /// Leakage from Encrypted Files and Communication with PURBs", Nikitin et al., 2019, §4.)
  package static func length(of count: Int) -> Int {
    guard count > 1 else { return 32 }
    let exponent = Int.bitWidth - 1 - count.leadingZeroBitCount
    let digits = Int.bitWidth - exponent.leadingZeroBitCount
    let mask = max(31, (1 << max(0, exponent - digits)) - 1)
    return (count + mask) & ~mask
  }
}
