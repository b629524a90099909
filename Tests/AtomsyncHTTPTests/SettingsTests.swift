import AtomsyncCore
import AtomsyncEngine
import AtomsyncSQLite
import AtomsyncSettings
import Configuration
import Foundation
import Testing

@Suite struct SettingsTests {
  private static let storages: [String: AtomsyncConfiguration.StorageFactory] = ["sqlite": { .sqlite($0) }]

  private func configuration(
    _ environment: [String: String] = [:], file: String? = nil
  ) async throws -> AtomsyncConfiguration {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("settings-\(UUID()).json").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    if let file { try file.write(toFile: path, atomically: true, encoding: .utf8) }
    let settings = try SettingsReader(environment: environment, file: file == nil ? nil : path)
    let configuration = try AtomsyncConfiguration(settings, storages: Self.storages)
    try settings.requireAllKnown()
    return configuration
  }

  @Test func theEnvironmentWinsOverTheFile() async throws {
    let file = """
      {"storage": "sqlite", "path": "notes.db", "codec": "json", "retention": "7d",
       "retry": {"initialDelay": "10ms", "maximumDelay": 2.5}, "limits": {"valueBytes": 2048, "pageBytes": 4096}}
      """
    let found = try await configuration(
      ["ATOMSYNC_LIMITS_VALUE_BYTES": "1024", "ATOMSYNC_RETRY_INITIAL_DELAY": "20 ms", "ATOMSYNC_PATH": ""],
      file: file)
    #expect(found.storage.description == "SQLite at notes.db")
    #expect(found.codec.mediaType == "application/transit+json")
    #expect(found.retention == .seconds(7 * 24 * 3600))
    #expect(found.retry.initialDelay == .milliseconds(20) && found.retry.maximumDelay == .seconds(2.5))
    #expect(found.limits.valueBytes == 1024 && found.limits.pageBytes == 4096)
    #expect(found.limits.bodyBytes == Limits().bodyBytes)
  }

  @Test func withoutSettingsNothingChanges() async throws {
    let found = try await configuration()
    #expect(found.limits == Limits() && found.retry == RetryPolicy())
    #expect(found.storage.description == "memory")
  }

  /// Each one names what is wrong.
  @Test(
    arguments: [
      (
        ["ATOMSYNC_STORAGE": "paper"], nil,
        "storage (ATOMSYNC_STORAGE) must be memory or sqlite; it is “paper”."
      ),
      (["ATOMSYNC_STORAGE": "sqlite"], nil, "storage is sqlite, which needs path (ATOMSYNC_PATH)."),
      (
        ["ATOMSYNC_RETENTION": "soon"], nil,
        "retention (ATOMSYNC_RETENTION) must be a duration such as 250ms, 30s, 5m, 12h or 30d; it is “soon”."
      ),
      (
        [:], #"{"limits": {"valueBytes": "many"}}"#,
        "limits.valueBytes (ATOMSYNC_LIMITS_VALUE_BYTES) must be a number from 1; it is “many”."
      ),
      (
        [:], #"{"limits": {"valueBytes": 0}}"#,
        "limits.valueBytes (ATOMSYNC_LIMITS_VALUE_BYTES) must be a number from 1; it is “0”."
      ),
      ([:], #"{"codec": true}"#, "codec (ATOMSYNC_CODEC) must be json or msgpack; it is “true”."),
      (
        [:], #"{"limit": {"valueBytes": 1}}"#,
        "The settings file sets limit.valueBytes, which is no setting. Did you mean limits.valueBytes?"
      ),
      (
        ["ATOMSYNC_PATH": "a.db"], nil,
        "path is set (ATOMSYNC_PATH) without storage (ATOMSYNC_STORAGE). Which kind is it?"
      ),
      (
        ["ATOMSYNC_RETENTION": "0x10s"], nil,
        "retention (ATOMSYNC_RETENTION) must be a duration such as 250ms, 30s, 5m, 12h or 30d; it is “0x10s”."
      ),
      (
        [:], #"{"retry": {"pollInterval": 0}}"#,
        "retry.pollInterval (ATOMSYNC_RETRY_POLL_INTERVAL) must be a duration such as 250ms, 30s, 5m, 12h or 30d; it is “0”."
      ),
      ([:], #"{"anything": 1}"#, "The settings file sets anything, which is no setting."),
      (
        [:], #"{"limits": {"valueBytes": true}}"#,
        "limits.valueBytes (ATOMSYNC_LIMITS_VALUE_BYTES) must be a number from 1; it is “true”."
      ),
      (
        [:], #"{"limits": {"valueBytes": 1.5}}"#,
        "limits.valueBytes (ATOMSYNC_LIMITS_VALUE_BYTES) must be a number from 1; it is “1.5”."
      ),
    ] as [([String: String], String?, String)])
  func whatCannotBeIsNamed(environment: [String: String], file: String?, message: String) async throws {
    let error = await #expect(throws: SettingsError.self) { try await configuration(environment, file: file) }
    #expect(error?.description == message)
  }

  @Test(arguments: [
    ("", "is no JSON"), ("[]", "has to be a JSON object"), ("{", "is no JSON"),
    (#"{"path": null}"#, "path in"), (#"{"path": ""}"#, "path in"),
    (#"{"cors": {"origin": [null]}}"#, "cors.origin in"),
    (#"{"limits": {"valueBytes": [1]}}"#, "limits.valueBytes (ATOMSYNC_LIMITS_VALUE_BYTES) must be a number"),
  ]) func whatIsNoSettingsFileIsRefused(text: String, naming: String) async throws {
    let error = await #expect(throws: SettingsError.self) { try await configuration(file: text) }
    #expect(error?.description.contains(naming) == true, "\(error?.description ?? "")")
    #expect(error?.description.contains("\n") == false)
  }

  /// Whatever the settings say, and however wrong; but the name is known.
  @Test func theCommandLineWins() async throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("settings-\(UUID()).json").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try #"{"port": "x", "open": "x", "host": ["x"], "cors": {"origin": ["x"]}}"#.write(
      toFile: path, atomically: true, encoding: .utf8)
    let settings = try SettingsReader(environment: ["ATOMSYNC_PORT": "y"], file: path)
    #expect(try settings.int("port", unless: 1) == 1)
    #expect(try settings.bool("open", unless: true) == true)
    #expect(try settings.string("host", unless: "h") == "h")
    #expect(try settings.strings("cors.origin", unless: ["o"]) == ["o"])
    try settings.requireAllKnown()
    #expect(throws: SettingsError.self) { try settings.int("port") }
  }

  @Test func aMissingFileIsAnError() throws {
    #expect(throws: SettingsError.self) {
      try SettingsReader(environment: [:], file: "/nonexistent/settings.json")
    }
  }

  /// A limit that is added is a setting as well.
  @Test func everyLimitIsASetting() async throws {
    for (value, prefix) in [(Limits() as Any, "limits"), (RetryPolicy() as Any, "retry")] {
      for name in Mirror(reflecting: value).children.compactMap(\.label) {
        await #expect(throws: SettingsError.self, "\(prefix).\(name) is no setting") {
          try await configuration(file: #"{"\#(prefix)": {"\#(name)": "x"}}"#)
        }
        let error = try? await configuration(file: #"{"\#(prefix)": {"\#(name)": 7}}"#)
        #expect(error != nil)
      }
    }
  }

  @Test func providersOfOnesOwn() throws {
    let provider = InMemoryProvider(values: ["storage": "memory", "retention": "60"])
    let found = try AtomsyncConfiguration(SettingsReader(ConfigReader(provider: provider)))
    #expect(found.retention == .seconds(60))
  }
}
