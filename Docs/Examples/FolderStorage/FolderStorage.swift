public import AtomsyncCore
internal import AtomsyncStorageSupport
internal import Foundation

/// A storage in a folder: each commit is a file, and everything is in memory as well. One process at a time.
public final class FolderStorage: Storage {
  private let log: QueueConfined<CommitLog>
  /// What the folder promises: the durability that it was opened with, for one process at a time.
  public let capabilities: StorageCapabilities

  /// Opens the folder at `path`, creating it if there is none.
  ///
  /// - Parameter durability: what a commit outlives.
  /// - Throws: `StorageError`.
  public init(path: String, durability: StorageCapabilities.Durability = .power) throws {
    capabilities = StorageCapabilities(durability: durability, isShared: false, maximumKeyLength: .max)
    // Reads and commits take turns on one thread: so a read sees all of a commit or none of it.
    log = QueueConfined(try CommitLog(path, flushes: durability == .power), on: BlockingQueue("folder"))
  }

  /// The values and scans, from one snapshot.
  public func read(_ query: StorageQuery) async throws -> StorageSnapshot {
    try await log.run { $0.records.read(query) }
  }

  /// Applies the batches in order, and writes those that were not refused as one file.
  public func commit(_ batches: [StorageBatch]) async throws -> [StorageOutcome] {
    try await log.run { try $0.commit(batches) }
  }

  /// Finishes what was begun and lets go of the folder.
  public func close() async { await log.close() }
}

extension StorageProvider {
  /// In the folder at `path`.
  public static func folder(
    _ path: String, durability: StorageCapabilities.Durability = .power
  ) -> StorageProvider {
    StorageProvider("folder at \(path)") { _ in try FolderStorage(path: path, durability: durability) }
  }
}

/// The files of the folder: `0000000001.commit` and so on, and now and then `0000000500.all`, which stands for all files
/// up to its number.
private final class CommitLog {
  private struct Write: Codable {
    let key: Data
    /// `nil` for a deletion.
    let value: Data?

    init(_ write: StorageWrite) {
      key = Data(write.key)
      if case .put(_, let value) = write { self.value = Data(value) } else { value = nil }
    }

    var write: StorageWrite { value.map { .put([UInt8](key), [UInt8]($0)) } ?? .delete([UInt8](key)) }
  }
  private(set) var records = OrderedBytes()
  private let folder: URL
  private let lock: FileLock
  private let flushes: Bool
  private var last = 0
  private static let commitsPerFileOfAll = 500

  init(_ path: String, flushes: Bool) throws {
    self.flushes = flushes
    folder = URL(fileURLWithPath: path, isDirectory: true)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    guard names.allSatisfy({ $0.wholeMatch(of: /\..*|store\.lock|[0-9]{1,10}\.(new|commit|all)/) != nil })
    else {
      throw StorageError(.foreign, "\(path) holds files of something else. Name another folder.")
    }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw StorageError(.inaccessible, "Cannot create \(path).", cause: "\(error)")
    }
    lock = try FileLock(path: folder.appendingPathComponent("store.lock").path, exclusive: true)
    try load(try FileManager.default.contentsOfDirectory(atPath: path).sorted())
  }

  private func load(_ names: [String]) throws {
    let all = names.last { $0.hasSuffix(".all") }
    last = all.map(number) ?? 0
    for name in [all].compactMap({ $0 }) + names.filter({ $0.hasSuffix(".commit") && number($0) > last }) {
      guard let bytes = try? Data(contentsOf: folder.appendingPathComponent(name)),
        let writes = try? PropertyListDecoder().decode([Write].self, from: bytes),
        number(name) == last + (name == all ? 0 : 1)
      else {
        throw StorageError(.corrupt, "\(folder.path)/\(name) cannot be read, or one before it is missing.")
      }
      _ = records.apply(StorageBatch(writes: writes.map(\.write)))
      last = number(name)
    }
    try? removeFiles(upTo: all.map(number) ?? 0)  // If not, the next time.
  }

  func commit(_ batches: [StorageBatch]) throws -> [StorageOutcome] {
    var changed = records
    let outcomes = batches.map { changed.apply($0) }
    let writes = zip(batches, outcomes).filter { $0.1 == .committed }.flatMap(\.0.writes)
    guard !writes.isEmpty else { return outcomes }
    try write(writes, to: last + 1, "commit")
    (records, last) = (changed, last + 1)
    if last % Self.commitsPerFileOfAll == 0 { try? compact() }  // If not, the next time.
    return outcomes
  }

  private func compact() throws {
    let all = records.read(StorageQuery(scans: [StorageScan(.all)])).scans.flatMap(\.entries)
    try write(all.map { .put($0.key, $0.value) }, to: last, "all")
    try removeFiles(upTo: last)
  }

  private func removeFiles(upTo start: Int) throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
    where !name.hasPrefix(".") && !name.hasSuffix(".lock") {
      if name.hasSuffix(".all") ? number(name) < start : number(name) <= start {
        try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
      }
    }
  }

  /// Writes a file that is there as a whole, also after a power cut, or not at all. If this throws, it may be there.
  private func write(_ writes: [StorageWrite], to number: Int, _ kind: String) throws {
    let new = folder.appendingPathComponent("0.new")
    do {
      try PropertyListEncoder().encode(writes.map(Write.init)).write(to: new)
      try synchronize(new)
      let path = folder.appendingPathComponent(String(format: "%010d.", number) + kind).path
      guard rename(new.path, path) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
      if flushes { try synchronize(folder) }
    } catch {
      let isFull = [CocoaError.Code.fileWriteOutOfSpace.rawValue, Int(ENOSPC)].contains(
        (error as NSError).code)
      throw StorageError(
        isFull ? .full : .failed, "\(folder.path) cannot be written.", cause: error.localizedDescription)
    }
  }

  private func synchronize(_ url: URL) throws {
    let handle = try FileHandle(forReadingFrom: url)
    defer { try? handle.close() }
    try handle.synchronize()
  }

  private func number(_ name: String) -> Int { Int(name.prefix { $0 != "." }) ?? 0 }
}
