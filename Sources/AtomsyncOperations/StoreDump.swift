public import AtomsyncCore
internal import AtomsyncEngine
internal import Crypto
internal import Foundation

/// Writes a server's store to one file, and makes a store of it again.
public enum StoreDump {
  /// Rows are read and written in pages of this size.
  static let pageBytes = 1 << 20

  /// Writes everything that the store holds at one moment. The store may be in use. O(rows); memory for a page.
  ///
  /// - Parameters:
  ///   - storage: the store to read.
  ///   - report: told after each page.
  ///   - write: takes the bytes of the file in order.
  /// - Throws: `StorageError`, also when it is not a server's store; what `write` throws.
  public static func write(
    _ storage: any SnapshotStorage, report: @escaping ReportProgress = { _ in },
    to write: @escaping @Sendable ([UInt8]) throws -> Void
  ) async throws -> OperationProgress {
    try await StoreHeader.check(storage, kind: .authority)
    return try await storage.withSnapshot { read in
      var progress = OperationProgress()
      var digest = SHA256()
      func put(_ bytes: [UInt8]) throws {
        digest.update(data: bytes)
        try write(bytes)
      }
      try put(try DumpFormat.head(taken: Date()))
      try EveryRow.forEachPage(read) { entries in
        var lines: [UInt8] = []
        for entry in entries {
          lines += try DumpFormat.row(entry)
          progress.add(key: entry.key, value: entry.value)
        }
        if !lines.isEmpty { try put(lines) }
        report(progress)
      }
      try write(try DumpFormat.tail(rows: progress.rows, digest: digest.finalize()))
      return progress
    }
  }

  /// Makes a store of the dump in a file. The dump is read to its end, and found to be whole, before anything is written.
  ///
  /// ## Behavior
  /// The store goes on where the dump was taken: replicas that had not seen more are not disturbed, those that had read everything anew
  /// and keep what they have not pushed. The first server that opens it begins an epoch of its own.
  ///
  /// - Parameters:
  ///   - path: of the dump.
  ///   - provider: a store that is empty, or not there yet.
  ///   - report: called now and then with how far it is.
  /// - Throws: ``OperationError`` with `damaged`, `exists` or `inaccessible`; `StorageError`. When it fails while it writes, what is there
  ///   is no store: it has to be removed before the next try.
  public static func restore(
    _ path: String, to provider: StorageProvider, report: @escaping ReportProgress = { _ in }
  ) async throws -> OperationProgress {
    do { try DumpReader.read(path) { _ in } } catch let error as OperationError {
      throw OperationError(error.code, "\(error.message) Nothing was changed.")
    }
    var target = try await NewStore.open(provider)
    var progress = OperationProgress()
    do {
      var reader = try DumpReader(path)
      while let page = try page(of: &reader) {
        try Task.checkCancellation()
        try await target.write(page)
        for entry in page { progress.add(key: entry.key, value: entry.value) }
        report(progress)
      }
    } catch {
      await target.close()
      throw error
    }
    try await target.finish()
    return progress
  }

  /// The next rows; `nil` at the end.
  private static func page(of reader: inout DumpReader) throws -> [StorageEntry]? {
    var page: [StorageEntry] = []
    var bytes = 0
    while bytes < pageBytes, let entry = try reader.next() {
      bytes += entry.value.count
      page.append(entry)
    }
    return page.isEmpty ? nil : page
  }
}
