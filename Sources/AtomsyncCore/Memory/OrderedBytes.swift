/// An ordered map of bytes to bytes in memory: a sorted list of sorted chunks.
///
/// Lookups are O(log n), writes O(log n + chunk), scans O(log n + length). A copy is O(chunks) when written to,
/// and free until then. The in-memory storage and the simulator's disks are made of it.
public struct OrderedBytes: Sendable {
  private typealias Chunk = [StorageEntry]
  private static let chunkLimit = 128
  private var chunks: [Chunk] = []
  /// How many entries there are. O(1)
  public private(set) var count = 0

  /// An empty map.
  public init() {}

  /// The value of `key`, or `nil`. Assigning `nil` removes the key.
  public subscript(key: [UInt8]) -> [UInt8]? {
    get {
      guard let at = find(key), at.found else { return nil }
      return chunks[at.chunk][at.index].value
    }
    set {
      if let newValue { put(key, newValue) } else { remove(key) }
    }
  }

  /// Answers a query from this value, which is its own snapshot.
  public func read(_ query: StorageQuery) -> StorageSnapshot {
    StorageSnapshot(values: query.keys.map { self[$0] }, scans: query.scans.map(scan))
  }

  /// Applies `batch` if its preconditions hold.
  public mutating func apply(_ batch: StorageBatch) -> StorageOutcome {
    for precondition in batch.preconditions where !precondition.holds(for: self[precondition.key]) {
      return .refused(key: precondition.key)
    }
    for write in batch.writes {
      switch write {
      case .put(let key, let value): put(key, value)
      case .delete(let key): remove(key)
      }
    }
    return .committed
  }

  // MARK: Writing

  private mutating func put(_ key: [UInt8], _ value: [UInt8]) {
    guard let at = find(key) else {
      chunks.append([StorageEntry(key: key, value: value)])
      count += 1
      return
    }
    if at.found {
      chunks[at.chunk][at.index].value = value
      return
    }
    chunks[at.chunk].insert(StorageEntry(key: key, value: value), at: at.index)
    count += 1
    if chunks[at.chunk].count > Self.chunkLimit { split(at.chunk, appendedAt: at.index) }
  }

  /// Appends fill chunks to the brim; anything else splits in the middle.
  private mutating func split(_ chunk: Int, appendedAt index: Int) {
    let half = index == Self.chunkLimit ? Self.chunkLimit : Self.chunkLimit / 2
    let tail = Array(chunks[chunk][half...])
    chunks[chunk].removeSubrange(half...)
    chunks.insert(tail, at: chunk + 1)
  }

  private mutating func remove(_ key: [UInt8]) {
    guard let at = find(key), at.found else { return }
    chunks[at.chunk].remove(at: at.index)
    if chunks[at.chunk].isEmpty { chunks.remove(at: at.chunk) }
    count -= 1
  }

  // MARK: Reading

  private func scan(_ scan: StorageScan) -> StorageScanResult {
    var found: [StorageEntry] = []
    var bytes = 0
    var cursor = scan.reverse ? position(before: scan.range.upper) : position(atOrAfter: scan.range.lower)
    while let at = cursor {
      let entry = chunks[at.chunk][at.index]
      guard scan.range.contains(entry.key) else { break }
      guard found.count < scan.limit, found.isEmpty || bytes < scan.byteLimit else {
        return StorageScanResult(entries: found, isComplete: false)
      }
      found.append(entry)
      bytes += entry.value.count
      cursor = scan.reverse ? previous(at) : next(at)
    }
    return StorageScanResult(entries: found, isComplete: true)
  }

  private typealias Position = (chunk: Int, index: Int)

  private func next(_ at: Position) -> Position? {
    if at.index + 1 < chunks[at.chunk].count { return (at.chunk, at.index + 1) }
    return at.chunk + 1 < chunks.count ? (at.chunk + 1, 0) : nil
  }

  private func previous(_ at: Position) -> Position? {
    if at.index > 0 { return (at.chunk, at.index - 1) }
    return at.chunk > 0 ? (at.chunk - 1, chunks[at.chunk - 1].count - 1) : nil
  }

  private func position(atOrAfter key: [UInt8]) -> Position? {
    guard let at = find(key) else { return nil }
    if at.index < chunks[at.chunk].count { return (at.chunk, at.index) }
    return at.chunk + 1 < chunks.count ? (at.chunk + 1, 0) : nil
  }

  private func position(before key: [UInt8]?) -> Position? {
    guard let last = chunks.indices.last else { return nil }
    guard let key, let at = find(key) else { return (last, chunks[last].count - 1) }
    return at.index > 0 ? (at.chunk, at.index - 1) : previous((at.chunk, 0))
  }

  /// Where `key` is, or where it would go; `nil` when the map is empty.
  private func find(_ key: [UInt8]) -> (chunk: Int, index: Int, found: Bool)? {
    if chunks.isEmpty { return nil }
    var low = 0
    var high = chunks.count - 1
    while low < high {  // the last chunk that begins at or before `key`
      let middle = (low + high + 1) / 2
      if key.precedes(chunks[middle][0].key) { high = middle - 1 } else { low = middle }
    }
    let chunk = low
    low = 0
    high = chunks[chunk].count
    while low < high {
      let middle = (low + high) / 2
      if chunks[chunk][middle].key.precedes(key) { low = middle + 1 } else { high = middle }
    }
    let found = low < chunks[chunk].count && chunks[chunk][low].key == key
    return (chunk, low, found)
  }
}
