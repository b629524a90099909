/// Bytes as the key of a dictionary, hashed as a whole: an array hashes its elements one by one, which for the key of a row
/// takes five times as long.
struct ByteKey: Hashable, Sendable {
  let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }
}
