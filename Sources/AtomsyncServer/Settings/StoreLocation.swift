internal import Atomsync
internal import AtomsyncCore
internal import AtomsyncLMDB
internal import AtomsyncSQLite
internal import AtomsyncSettings
internal import Foundation

/// Which store: one of the storages that this program is built with, and where it is.
struct StoreLocation {
  private enum Kind: String {
    case sqlite, lmdb, postgres, memory

    var defaultPath: String {
      switch self {
      case .sqlite: "atomsync.db"
      case .lmdb: "atomsync.lmdb"
      case .postgres, .memory: ""
      }
    }
  }

  private let kind: Kind
  private let path: String

  /// - Parameter shortPath: the path, where it may be given without its option.
  /// - Throws: ``SettingsError``.
  init(_ options: StoreOptions, shortPath: String? = nil, _ settings: SettingsReader) throws {
    if shortPath != nil && options.path != nil {
      throw SettingsError("The path is given twice: \(shortPath ?? "") and --path.")
    }
    let text = try settings.string("storage", unless: options.storage) ?? Kind.sqlite.rawValue
    guard let kind = Kind(rawValue: text) else {
      let what = "sqlite, lmdb, postgres or memory"
      if options.storage == nil { throw settings.refusal("storage", what, text) }
      throw SettingsError("--storage must be \(what); it is “\(text)”.")
    }
    let path =
      try settings.string("path", unless: options.path ?? shortPath, isSecret: true) ?? kind.defaultPath
    try self.init(kind, path)
  }

  private init(_ kind: Kind, _ path: String) throws {
    (self.kind, self.path) = (kind, path)
    guard kind == .postgres else { return }
    try PostgresSupport.require()
    if path.isEmpty {
      throw SettingsError("A PostgreSQL store needs its URL: --path postgres://user@host/database.")
    }
  }

  /// - Parameter url: the kind, a colon and the path.
  /// - Throws: ``SettingsError``.
  init(url: String) throws {
    let parts = url.split(separator: ":", maxSplits: 1).map(String.init)
    guard parts.count == 2, let kind = Kind(rawValue: parts[0]), kind != .memory else {
      // Not repeated: there may be a password in it.
      throw SettingsError("A store is sqlite:PATH, lmdb:PATH or postgres://user@host/database.")
    }
    try self.init(kind, kind == .postgres ? url : parts[1])
  }

  var provider: StorageProvider {
    switch kind {
    case .sqlite: .sqlite(path)
    case .lmdb: .lmdb(path)
    case .postgres: PostgresSupport.provider(path)
    case .memory: .memory
    }
  }

  /// For what must not create a store by looking at it.
  func requireExistence() async throws {
    if kind == .postgres {
      guard try await PostgresSupport.hasStore(path) else {
        throw SettingsError("There is no store in \(provider). Is it the right database?")
      }
      return
    }
    if kind == .memory {
      throw SettingsError("A store in memory ends with its server. Choose --storage sqlite or lmdb.")
    }
    // Opening an empty file or folder would make a store of it.
    guard size(of: dataFile) > 0 else {
      throw SettingsError("There is no store at \(path). Give its path with --path.")
    }
  }

  /// For what makes a new store, and must not touch another.
  func requireAbsence() throws {
    if kind == .memory {
      throw SettingsError("A store in memory ends with this command. Choose --storage sqlite or lmdb.")
    }
    // A database is there already; that the store in it is empty is seen when it is written.
    if kind != .postgres && FileManager.default.fileExists(atPath: path) {
      throw SettingsError("There is something at \(path) already. Give the path of a new store.")
    }
  }

  // MARK: What is done to it

  /// Runs `body` with the store as others may have it open too.
  func withStorage<Result: Sendable>(
    _ body: (any SnapshotStorage) async throws -> Result
  ) async throws -> Result {
    let storage: any SnapshotStorage =
      switch kind {
      case .sqlite: try await SQLiteStorage.open(path)
      case .lmdb: try await LMDBStorage.open(path)
      case .postgres: try await PostgresSupport.open(path)
      case .memory: MemoryStorage()
      }
    do {
      let result = try await body(storage)
      await storage.close()
      return result
    } catch {
      await storage.close()
      throw error
    }
  }

  func backUp(to target: String) async throws {
    switch kind {
    case .sqlite: try await SQLiteStorage.backUp(path, to: target)
    case .lmdb: try await LMDBStorage.backUp(path, to: target)
    case .postgres:
      throw SettingsError("PostgreSQL has its own backups: use pg_dump or pg_basebackup, or dump.")
    case .memory: break
    }
  }

  func compact() async throws {
    switch kind {
    case .sqlite: try await SQLiteStorage.compact(path)
    case .lmdb: try await LMDBStorage.compact(path)
    case .postgres:
      throw SettingsError("PostgreSQL gives space back by itself, and all of it by VACUUM FULL.")
    case .memory: break
    }
  }

  /// How much the store's files take; `nil` where they are on another machine.
  var fileBytes: Int64? {
    if kind == .postgres { return nil }
    return size(of: dataFile) + (kind == .sqlite ? size(of: path + "-wal") : 0)
  }

  private var dataFile: String { kind == .lmdb ? "\(path)/data.mdb" : path }

  private func size(of file: String) -> Int64 {
    (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int64) ?? 0
  }
}
