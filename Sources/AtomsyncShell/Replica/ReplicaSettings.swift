internal import ArgumentParser
internal import AtomsyncSettings

/// What the command line and the environment say together.
struct ReplicaSettings {
  let options: ReplicaOptions
  let group: String
  let server: String?
  let token: String?
  let keyFile: String?

  /// - Throws: `ValidationError` when the group is missing.
  init(_ options: ReplicaOptions, _ environment: [String: String]) throws {
    let settings = try SettingsReader(environment: environment)
    self.options = options
    guard let group = try settings.string("group", unless: options.group) else {
      throw ValidationError("Which group? Name it with --group, or set ATOMSYNC_GROUP.")
    }
    self.group = group
    server = try settings.string("server", unless: options.server)
    token = try settings.string("token", unless: options.token, isSecret: true)
    keyFile = try settings.string("keyFile", unless: options.keyFile)
    if keyFile == nil && (options.hidesIDs || options.sealsStore) {
      throw ValidationError("--hide-ids and --seal-store need --key-file.")
    }
  }
}
