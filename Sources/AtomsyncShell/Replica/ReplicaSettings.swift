internal import ArgumentParser

/// What the command line and the environment say together.
struct ReplicaSettings {
  let options: ReplicaOptions
  let group: String
  let server: String?
  let token: String?

  /// - Throws: `ValidationError` when the group is missing.
  init(_ options: ReplicaOptions, _ environment: [String: String]) throws {
    func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    self.options = options
    guard let group = options.group ?? variable("ATOMSYNC_GROUP") else {
      throw ValidationError("Which group? Name it with --group, or set ATOMSYNC_GROUP.")
    }
    self.group = group
    server = options.server ?? variable("ATOMSYNC_SERVER")
    token = options.token ?? variable("ATOMSYNC_TOKEN")
  }
}
