internal import AtomsyncCore
internal import Crypto
internal import Foundation
internal import Transit

/// How a dump lies in a file: a line of Transit-JSON for each row of the store, in the order of their keys.
///
/// ```
/// ["^ ","~:atomsync-dump",1,"~:taken","~m1790000000000"]
/// ["~b<key>","~b<value>"]
/// …
/// ["^ ","~:rows",2,"~:sha256","<digest of all bytes before this line, in hexadecimal>"]
/// ```
/// Rows are what they are in the store, whichever kind it is, so that nothing is lost and nothing is interpreted: documents,
/// tombstones, records of pushes, and the places in the history that clients name.
enum DumpFormat {
  static let version: Int64 = 1
  /// Longer than a row can be: a value has 1 MiB at most by default, and Base64 makes it a third longer.
  static let maximumLine = 256 << 20

  private static let versionKey = TransitValue.keyword("atomsync-dump")
  private static let takenKey = TransitValue.keyword("taken")
  private static let rowsKey = TransitValue.keyword("rows")
  private static let digestKey = TransitValue.keyword("sha256")

  static func head(taken: Date) throws -> [UInt8] {
    try line([(versionKey, .int(version)), (takenKey, TransitValue.instant(Instant(taken)))])
  }

  static func row(_ entry: StorageEntry) throws -> [UInt8] {
    try TransitValue.array([.bytes(entry.key), .bytes(entry.value)]).transit(.json) + [newline]
  }

  static func tail(rows: Int64, digest: SHA256.Digest) throws -> [UInt8] {
    try line([(rowsKey, .int(rows)), (digestKey, .string(text(digest)))])
  }

  static let newline = UInt8(ascii: "\n")

  private static func line(_ pairs: [(TransitValue, TransitValue)]) throws -> [UInt8] {
    try TransitValue.map(TransitMap(pairs.lazy.map { ($0.0, $0.1) })).transit(.json) + [newline]
  }

  static func text(_ digest: SHA256.Digest) -> String {
    digest.map { String(format: "%02x", $0) }.joined()
  }

  enum Line {
    case head(version: Int64)
    case row(StorageEntry)
    case tail(rows: Int64, digest: String)
  }

  /// `nil` for a line that is none of these.
  static func line(_ bytes: some Collection<UInt8>) -> Line? {
    guard let value = try? TransitValue(transit: Array(bytes), format: .json) else { return nil }
    if case .array(let parts) = value, parts.count == 2, case .bytes(let key) = parts[0],
      case .bytes(let content) = parts[1]
    {
      return .row(StorageEntry(key: key, value: content))
    }
    guard case .map(let map) = value else { return nil }
    let (version, rows, digest) = (map[versionKey], map[rowsKey], map[digestKey])
    if case .int(let version) = version { return .head(version: version) }
    if case .int(let rows) = rows, case .string(let digest) = digest {
      return .tail(rows: rows, digest: digest)
    }
    return nil
  }
}
