internal import Atomsync
internal import AtomsyncCore
internal import AtomsyncLMDB
internal import AtomsyncSQLite
internal import Foundation

/// Where a shell replica keeps its documents.
struct StoreLocation {
  let provider: StorageProvider

  init(_ settings: ReplicaSettings) throws {
    let path = try settings.options.store ?? Self.defaultPath(settings)
    switch settings.options.storage {
    case .sqlite: provider = .sqlite(path)
    case .lmdb: provider = .lmdb(path)
    }
  }

  /// A file of its own for each server and group, so that no document ever reaches another server.
  private static func defaultPath(_ settings: ReplicaSettings) throws -> String {
    let folder = UserDataFolder.url.appendingPathComponent("atomsync/shell")
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw StorageError(
        .inaccessible, "Cannot create the folder \(folder.path). Name another place with --store.",
        cause: error.localizedDescription)
    }
    let name = "\(settings.server ?? "local") \(settings.group)"
      .addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-_")))
    return folder.appendingPathComponent(
      "\(name ?? "store").\(settings.options.storage == .sqlite ? "db" : "lmdb")"
    )
    .path
  }

  /// Opens the store; waits while another command has it open.
  func open(_ configuration: AtomsyncConfiguration, wait: Duration) async throws -> AtomsyncClient {
    let deadline = ContinuousClock.now + wait
    while true {
      do {
        return try await AtomsyncClient.open(configuration)
      } catch let error as StorageError where error.code == .inUse && ContinuousClock.now < deadline {
        try await ContinuousClock().sleep(for: .milliseconds(20))
      }
    }
  }
}
