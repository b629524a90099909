internal import AtomsyncCore
internal import AtomsyncSettings

#if Postgres
internal import AtomsyncPostgres
#endif

/// PostgreSQL, for a program that is built with it (`--traits Postgres`).
enum PostgresSupport {
  #if Postgres
  static func require() throws(SettingsError) {}

  static func provider(_ url: String) -> StorageProvider { .postgres(url) }

  static func open(_ url: String) async throws -> any SnapshotStorage { try await PostgresStorage.open(url) }

  static func hasStore(_ url: String) async throws -> Bool { try await PostgresStorage.hasStore(at: url) }
  #else
  private static let absence =
    "This atomsync-server is built without PostgreSQL. Build it with swift build --traits Postgres, which needs libpq-dev."

  static func require() throws(SettingsError) { throw SettingsError(absence) }

  static func provider(_ url: String) -> StorageProvider {
    StorageProvider("PostgreSQL") { _ in throw SettingsError(absence) }
  }

  static func open(_ url: String) async throws -> any SnapshotStorage { throw SettingsError(absence) }

  static func hasStore(_ url: String) async throws -> Bool { throw SettingsError(absence) }
  #endif
}
