internal import Atomsync
internal import AtomsyncCore
internal import AtomsyncLMDB
internal import AtomsyncSQLite
internal import Foundation

/// Which store: one of the storages that this program is built with, and where it is.
struct StoreLocation {
  private enum Kind: String {
    case sqlite, lmdb, memory

    var defaultPath: String {
      switch self {
      case .sqlite: "atomsync.db"
      case .lmdb: "atomsync.lmdb"
      case .memory: ""
      }
    }
  }

  private let kind: Kind
  private let path: String

  /// - Parameter shortPath: the path, where it may be given without its option.
  /// - Throws: ``SettingsError``.
  init(_ options: StoreOptions, shortPath: String? = nil, _ environment: Environment) throws {
    if shortPath != nil && options.path != nil {
      throw SettingsError("The path is given twice: \(shortPath ?? "") and --path.")
    }
    let text = options.storage ?? environment["ATOMSYNC_STORAGE"] ?? Kind.sqlite.rawValue
    guard let kind = Kind(rawValue: text) else {
      let name = options.storage == nil ? "ATOMSYNC_STORAGE" : "--storage"
      throw SettingsError("\(name) must be sqlite, lmdb or memory; it is “\(text)”.")
    }
    self.kind = kind
    path = options.path ?? shortPath ?? environment["ATOMSYNC_PATH"] ?? kind.defaultPath
  }

  var provider: StorageProvider {
    switch kind {
    case .sqlite: .sqlite(path)
    case .lmdb: .lmdb(path)
    case .memory: .memory
    }
  }

  /// For what must not create a store by looking at it.
  func requireExistence() throws {
    if kind == .memory {
      throw SettingsError("A store in memory ends with its server. Choose --storage sqlite or lmdb.")
    }
    // Opening an empty file or folder would make a store of it.
    let file = kind == .lmdb ? "\(path)/data.mdb" : path
    let size = try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int
    guard size ?? 0 > 0 else {
      throw SettingsError("There is no store at \(path). Give its path with --path.")
    }
  }
}
