public import Atomsync
public import AtomsyncCore
internal import AtomsyncHTTPClient
internal import AtomsyncSQLite
internal import Foundation
public import Transit

extension AtomsyncClient {
  /// Opens an app's own store: a SQLite file in the user's data folder (`$XDG_DATA_HOME` or `~/.local/share` on
  /// Linux, Application Support on Apple's systems), made if there is none.
  ///
  /// - Parameter app: the name of the app, and of the folder.
  /// - Throws: `StorageError`: the folder cannot be made, or the store cannot be opened, is in use by another
  ///   process, or has a newer format. `SyncError` with `invalidDocument` when the name is no name of a folder.
  public static func open(_ app: String) async throws -> AtomsyncClient {
    guard !app.isEmpty, app != ".", app != "..", !app.contains("/"), !app.contains("\0") else {
      throw SyncError(.invalidDocument, "\"\(app)\" cannot be the name of a folder.")
    }
    let folder = UserDataFolder.url.appendingPathComponent(app, isDirectory: true)
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw StorageError(
        .inaccessible, "Cannot make the folder \(folder.path). Check that its parent can be written.",
        cause: error.localizedDescription)
    }
    let file = folder.appendingPathComponent("atomsync.db").path
    return try await open(AtomsyncConfiguration(storage: .sqlite(file)))
  }

  /// Opens an atom of Transit values that is synced with a server over HTTP.
  ///
  /// - Parameters:
  ///   - group: the group on the server, and the atom's name in this store.
  ///   - server: the server's URL, such as `http://localhost:8090/sync`.
  ///   - token: what the server knows the user by; `nil` on an open server.
  ///   - conflicts: who wins when a document was changed here and on the server.
  ///   - encryption: the keys that seal what leaves this device (AtomsyncEncryption).
  /// - Throws: as `atom(_:name:transport:conflicts:encryption:)`, and `TransportError` when the URL cannot be a server's.
  public func atom(
    _ group: String, server: String, token: String? = nil, conflicts: ConflictPolicy = .serverWins,
    encryption: EncryptionProvider? = nil
  ) async throws -> SyncedAtom<TransitValue> {
    try await atom(
      group, transport: .http(server, token: token), conflicts: conflicts, encryption: encryption)
  }

  /// Opens an atom of a type of your own that is synced with a server over HTTP; otherwise the same.
  public func atom<Element: Codable & Sendable>(
    _ group: String, of type: Element.Type, server: String, token: String? = nil,
    conflicts: ConflictPolicy = .serverWins, encryption: EncryptionProvider? = nil
  ) async throws -> SyncedAtom<Element> {
    try await atom(
      group, of: type, transport: .http(server, token: token), conflicts: conflicts, encryption: encryption)
  }
}
