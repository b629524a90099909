import AtomsyncCore
import AtomsyncLMDB
import AtomsyncPostgres
import AtomsyncSQLite
import AtomsyncStorageSupport
import Foundation

/// The storages that are measured.
package enum StoreKind: String, CaseIterable, Sendable {
  case memory
  case sqlite
  case lmdb
  /// Without waiting for the disk: a commit survives the process, not a power cut.
  case sqliteProcess = "sqlite-process"
  case lmdbProcess = "lmdb-process"
  /// A table of its own in the database that `ATOMSYNC_BENCHMARK_POSTGRES` names.
  case postgres

  package static let durable: [StoreKind] = [.sqlite, .lmdb]

  package var title: String {
    switch self {
    case .memory: "memory"
    case .sqlite: "SQLite"
    case .lmdb: "LMDB"
    case .sqliteProcess: "SQLite without fsync"
    case .lmdbProcess: "LMDB without the last fsync"
    case .postgres: "PostgreSQL"
    }
  }

  package func provider(in folder: String) -> StorageProvider {
    switch self {
    case .memory: .memory
    case .sqlite: .sqlite("\(folder)/store.db")
    case .lmdb: .lmdb("\(folder)/store.lmdb")
    case .sqliteProcess: .sqlite("\(folder)/store.db", durability: .process)
    case .lmdbProcess: .lmdb("\(folder)/store.lmdb", durability: .process)
    case .postgres: .postgres(Self.postgresURL(folder))
    }
  }
}

extension StoreKind {
  /// Whether there is a PostgreSQL to measure.
  package static var hasPostgres: Bool { database != nil }

  private static var database: String? {
    ProcessInfo.processInfo.environment["ATOMSYNC_BENCHMARK_POSTGRES"]
  }

  /// One table for each folder, of which only the name is needed.
  private static func postgresURL(_ folder: String) -> String {
    let name = (folder.split(separator: "/").last ?? "").lowercased().filter {
      $0.isASCII && ($0.isLetter || $0.isNumber)
    }
    return "\(database ?? "")?table=\(name.suffix(40))"
  }
}

extension StorageProvider {
  /// Always this storage, which stays open when it is closed, so that what it holds can be opened again.
  package static func kept(_ storage: any Storage) -> StorageProvider {
    StorageProvider("a kept store") { _ in PrefixedStorage(storage, prefix: []) }
  }
}

/// Runs `body` with a new folder among the temporary files, and removes it.
package func withTemporaryFolder<Result>(
  isolation: isolated (any Actor)? = #isolation, _ body: (String) async throws -> Result
) async throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appending(
    path: "atomsync-benchmark-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try await body(folder.path(percentEncoded: false))
}
