internal import AtomsyncCore

/// The values that a turn's answers show of stale documents: which changes to read, and what was there.
///
/// They are read a few at a time, and no more of them than a page has bytes: a push of a thousand small edits must not
/// become an answer of a gigabyte. Who is not shown a value finds it with the next pull.
struct StaleContents {
  /// After so many bytes no more is shown.
  private let byteLimit: Int
  private var keys: [[UInt8]] = []
  private var known: Set<[UInt8]> = []
  private var readCount = 0
  private var bytes = 0
  private var found: [[UInt8]: Content] = [:]
  /// Changes that are not there.
  private(set) var missing: Set<[UInt8]> = []
  /// Values have 1 MiB at most, by default.
  private static let keysAtOnce = 16

  init(byteLimit: Int) { self.byteLimit = byteLimit }

  mutating func insert(_ key: [UInt8]) {
    if known.insert(key).inserted { keys.append(key) }
  }

  /// What to read next; empty when everything was read that is shown.
  var next: ArraySlice<[UInt8]> {
    bytes < byteLimit ? keys[readCount...].prefix(Self.keysAtOnce) : []
  }

  /// Takes the rows of ``next``.
  ///
  /// - Throws: `StorageError` when one cannot be read.
  mutating func take(_ rows: ArraySlice<[UInt8]?>) throws {
    for (key, row) in zip(keys[readCount...], rows) {
      readCount += 1
      guard let row else {
        missing.insert(key)
        continue
      }
      let content = try Document(change: row).content
      bytes += content.byteCount
      found[key] = content
    }
  }

  /// `nil`: it is not shown.
  subscript(key: [UInt8]) -> Content? { found[key] }
}
