public import AtomsyncCore
internal import AtomsyncEngine

/// Copies a server's store into another, of any kind.
public enum StoreCopy {
  /// Nobody else may have either store open. O(rows); memory for a page.
  ///
  /// ## Behavior
  /// The copy goes on where the store was: to replicas it is the same store.
  ///
  /// - Parameters:
  ///   - source: a server's store.
  ///   - target: a store that is empty, or not there yet.
  ///   - report: called now and then with how far it is.
  /// - Throws: ``OperationError`` with `exists`; `StorageError`. When it fails while it writes, what is there is no store: it has to be
  ///   removed before the next try.
  public static func copy(
    from source: StorageProvider, to target: StorageProvider, report: @escaping ReportProgress = { _ in }
  ) async throws -> OperationProgress {
    let storage = try await source.open(.exclusive)
    do {
      try await StoreHeader.check(storage, kind: .authority)
      let progress = try await copy(storage, to: target, report)
      await storage.close()
      return progress
    } catch {
      await storage.close()
      throw error
    }
  }

  private static func copy(
    _ source: any Storage, to target: StorageProvider, _ report: ReportProgress
  ) async throws -> OperationProgress {
    var copy = try await NewStore.open(target)
    var progress = OperationProgress()
    do {
      var rows = EveryRow()
      while let scan = rows.scan {
        try Task.checkCancellation()
        let entries = rows.take(try await source.scan(scan))
        try await copy.write(entries)
        for entry in entries { progress.add(key: entry.key, value: entry.value) }
        report(progress)
      }
    } catch {
      await copy.close()
      throw error
    }
    try await copy.finish()
    return progress
  }
}
