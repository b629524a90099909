/// What to read from one snapshot: some keys, some ranges, or both.
public struct StorageQuery: Sendable, Hashable {
  /// The keys to look up.
  public var keys: [[UInt8]]
  /// The ranges to read.
  public var scans: [StorageScan]

  /// A query for these keys and ranges.
  public init(keys: [[UInt8]] = [], scans: [StorageScan] = []) {
    self.keys = keys
    self.scans = scans
  }
}

/// A half-open range of keys, in byte order.
public struct KeyRange: Sendable, Hashable {
  /// The first key that belongs to the range.
  public var lower: [UInt8]
  /// The first key beyond the range; `nil` for no end.
  public var upper: [UInt8]?

  /// The keys from `lower` on that come before `upper`; `nil` for no end.
  public init(from lower: [UInt8], to upper: [UInt8]?) {
    self.lower = lower
    self.upper = upper
  }

  /// Every key.
  public static let all = KeyRange(from: [], to: nil)

  /// Every key that begins with `prefix`.
  public init(prefix: [UInt8]) {
    self.init(from: prefix, to: KeyRange.successor(ofPrefix: prefix))
  }

  /// Whether `key` is in the range.
  public func contains(_ key: [UInt8]) -> Bool {
    if key.precedes(lower) { return false }
    guard let upper else { return true }
    return key.precedes(upper)
  }

  /// The first key after all those that begin with `prefix`; `nil` when there is none.
  public static func successor(ofPrefix prefix: [UInt8]) -> [UInt8]? {
    var key = prefix
    while let last = key.last {
      if last < 0xFF {
        key[key.count - 1] = last + 1
        return key
      }
      key.removeLast()
    }
    return nil
  }
}

/// One range to read, with its bounds.
public struct StorageScan: Sendable, Hashable {
  /// Which keys to read.
  public var range: KeyRange
  /// The most entries to answer.
  public var limit: Int
  /// Stop once the values read so far reach this many bytes. At least one entry is answered all the same.
  public var byteLimit: Int
  /// From the end of the range towards its start.
  public var reverse: Bool

  /// A scan of this range; without limits, of all its entries.
  public init(_ range: KeyRange, limit: Int = .max, byteLimit: Int = .max, reverse: Bool = false) {
    self.range = range
    self.limit = limit
    self.byteLimit = byteLimit
    self.reverse = reverse
  }
}

/// One key and its value.
public struct StorageEntry: Sendable, Hashable {
  /// The key.
  public var key: [UInt8]
  /// The value.
  public var value: [UInt8]

  /// An entry of this key and value.
  public init(key: [UInt8], value: [UInt8]) {
    self.key = key
    self.value = value
  }
}

/// What a scan found.
public struct StorageScanResult: Sendable, Hashable {
  /// What was found, in the order of the scan.
  public var entries: [StorageEntry]
  /// False when a limit ended the scan and entries of the range remain.
  public var isComplete: Bool

  /// A result with these entries.
  public init(entries: [StorageEntry], isComplete: Bool) {
    self.entries = entries
    self.isComplete = isComplete
  }
}

/// The answer to a ``StorageQuery``: values and scans in the order in which they were asked.
public struct StorageSnapshot: Sendable, Hashable {
  /// The values of the keys; `nil` for an absent key.
  public var values: [[UInt8]?]
  /// What the scans found.
  public var scans: [StorageScanResult]

  /// An answer with these values and scans.
  public init(values: [[UInt8]?] = [], scans: [StorageScanResult] = []) {
    self.values = values
    self.scans = scans
  }
}
