import AtomsyncCore
import AtomsyncPostgres
import Foundation

/// A PostgreSQL server for the tests of this process, with a table for each.
enum Cluster {
  /// `nil` where PostgreSQL is not installed. What stands in `ATOMSYNC_TEST_POSTGRES` is used instead of a server of
  /// the tests' own.
  static let url: String? = {
    if let url = ProcessInfo.processInfo.environment["ATOMSYNC_TEST_POSTGRES"] { return url }
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Postgres/cluster.sh").standardized.path
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: script)
    let number = ProcessInfo.processInfo.processIdentifier
    process.arguments = ["run", folder.path, String(20_000 + number % 10_000), String(number)]
    process.standardOutput = output
    // Whoever runs the tests may wait until nobody has their outputs any more.
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch { return nil }
    // The script goes on for as long as this process. It says nothing where there is no PostgreSQL.
    let text = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    return text.isEmpty ? nil : text.trimmingCharacters(in: .whitespacesAndNewlines)
  }()

  /// Whether a pooler in transaction mode stands before the server.
  static var isPooled: Bool { url?.contains("pooling=transaction") ?? false }

  /// The same by the server's Unix socket.
  static func newLocalStore() -> String {
    newStore().replacing("127.0.0.1", with: folder.path.replacing("/", with: "%2F"))
  }

  private static let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("atomsync-postgres-\(ProcessInfo.processInfo.processIdentifier)")

  /// The URL of a store that nobody else uses. Its sessions have the table's name as well.
  static func newStore() -> String {
    let name = "t" + UUID().uuidString.filter { $0 != "-" }.lowercased()
    let url = url ?? ""
    return "\(url)\(url.contains("?") ? "&" : "?")application_name=\(name)&table=\(name)"
  }
}
