internal import Atomsync
internal import AtomsyncCore
internal import AtomsyncLMDB
internal import AtomsyncSQLite

/// The storages that this program is built with.
enum StorageKind: String {
  case sqlite, lmdb, memory

  var defaultPath: String {
    switch self {
    case .sqlite: "atomsync.db"
    case .lmdb: "atomsync.lmdb"
    case .memory: ""
    }
  }

  func provider(path: String) -> StorageProvider {
    switch self {
    case .sqlite: .sqlite(path)
    case .lmdb: .lmdb(path)
    case .memory: .memory
    }
  }
}
