public import AtomsyncCore
public import AtomsyncEngine

extension AtomsyncConfiguration {
  /// What a store of some kind is opened with, by its path.
  public typealias StorageFactory = @Sendable (_ path: String) -> StorageProvider

  /// A configuration from settings; what they do not say stays as in `defaults`.
  ///
  /// ```swift
  /// let settings = try SettingsReader(environment: ProcessInfo.processInfo.environment, file: "atomsync.json")
  /// let configuration = try AtomsyncConfiguration(
  ///   settings, storages: ["sqlite": { .sqlite($0) }, "lmdb": { .lmdb($0) }])
  /// ```
  ///
  /// The settings are `storage` (`memory`, or the name of one of `storages`) and `path`; `codec` (`json` or `msgpack`);
  /// `retention`; each of ``RetryPolicy`` under `retry`, and each of ``Limits`` under `limits`. (Docs/Settings.md)
  ///
  /// - Throws: ``SettingsError`` for the first setting that cannot be.
  public init(
    _ settings: SettingsReader, storages: [String: StorageFactory] = [:],
    defaults: AtomsyncConfiguration = AtomsyncConfiguration()
  ) throws {
    self = defaults
    let path = try settings.string("path")
    if path != nil, try settings.string("storage") == nil {
      throw SettingsError("path is set (ATOMSYNC_PATH) without storage (ATOMSYNC_STORAGE). Which kind is it?")
    }
    if let name = try settings.string("storage") {
      if name == "memory" {
        storage = .memory
      } else if let factory = storages[name] {
        guard let path else { throw SettingsError("storage is \(name), which needs path (ATOMSYNC_PATH).") }
        storage = factory(path)
      } else {
        let names = (storages.keys + ["memory"]).sorted().joined(separator: " or ")
        throw settings.refusal("storage", names, name)
      }
    }
    if let name = try settings.string("codec") {
      switch name {
      case "json": codec = .transitJSON
      case "msgpack": codec = .transitMsgPack
      default: throw settings.refusal("codec", "json or msgpack", name)
      }
    }
    retention = try settings.duration("retention") ?? retention
    retry = try RetryPolicy(settings, defaults: retry)
    limits = try Limits(settings, defaults: limits)
  }
}

extension RetryPolicy {
  /// A policy from the settings under `retry`; what they do not say stays as in `defaults`.
  ///
  /// - Throws: ``SettingsError``.
  public init(_ settings: SettingsReader, defaults: RetryPolicy = RetryPolicy()) throws {
    self = defaults
    let parts: [(String, WritableKeyPath<RetryPolicy, Duration>)] = [
      ("initialDelay", \.initialDelay), ("maximumDelay", \.maximumDelay), ("pollInterval", \.pollInterval),
      ("requestTimeout", \.requestTimeout), ("steadyStream", \.steadyStream),
    ]
    for (name, part) in parts {
      if let duration = try settings.duration("retry.\(name)") { self[keyPath: part] = duration }
    }
  }
}

extension Limits {
  /// Limits from the settings under `limits`; what they do not say stays as in `defaults`.
  ///
  /// - Throws: ``SettingsError``.
  public init(_ settings: SettingsReader, defaults: Limits = Limits()) throws {
    self = defaults
    let parts: [(String, WritableKeyPath<Limits, Int>)] = [
      ("bodyBytes", \.bodyBytes), ("valueBytes", \.valueBytes), ("documentsPerPush", \.documentsPerPush),
      ("pageDocuments", \.pageDocuments), ("maximumPageDocuments", \.maximumPageDocuments),
      ("pageBytes", \.pageBytes), ("pushBytes", \.pushBytes), ("waitingPushes", \.waitingPushes),
      ("waitingBytes", \.waitingBytes), ("conflictBytes", \.conflictBytes),
    ]
    for (name, part) in parts {
      if let number = try settings.int("limits.\(name)", in: 1...Int.max) { self[keyPath: part] = number }
    }
  }
}
