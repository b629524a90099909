internal import AtomsyncCore

/// Goes through a store's rows in the order of their keys, a page at a time.
struct EveryRow {
  private var rest = KeyRange.all
  private var isComplete = false

  /// What to read next; `nil` once everything was read.
  var scan: StorageScan? {
    isComplete ? nil : StorageScan(rest, limit: 10_000, byteLimit: StoreDump.pageBytes)
  }

  /// Takes the page that ``scan`` has asked for, and returns its rows.
  mutating func take(_ page: StorageScanResult) -> [StorageEntry] {
    if let last = page.entries.last?.key { rest.lower = last + [0] }
    isComplete = page.isComplete
    return page.entries
  }

  /// All pages of a snapshot.
  static func forEachPage(_ read: SnapshotRead, _ body: ([StorageEntry]) throws -> Void) throws {
    var rows = EveryRow()
    while let scan = rows.scan {
      guard let page = try read(StorageQuery(scans: [scan])).scans.first else { return }
      try body(rows.take(page))
    }
  }
}
