internal import AtomsyncHTTPServer
internal import AtomsyncSettings

extension ServerLimits {
  /// Limits from the settings under `server`.
  ///
  /// - Throws: ``SettingsError``.
  init(_ settings: SettingsReader) throws {
    self.init()
    let numbers: [(String, WritableKeyPath<ServerLimits, Int>)] = [
      ("connections", \.connections), ("connectionsPerAddress", \.connectionsPerAddress),
      ("headerBytes", \.headerBytes), ("headBytes", \.headBytes), ("bodyWindowBytes", \.bodyWindowBytes),
      ("bodyBytesInFlight", \.bodyBytesInFlight), ("streams", \.streams),
      ("streamsPerUser", \.streamsPerUser),
      ("groupsPerStream", \.groupsPerStream), ("livePageBytes", \.livePageBytes),
      ("wrongTokens", \.wrongTokens),
    ]
    for (name, part) in numbers {
      if let number = try settings.int("server.\(name)", in: 1...Int.max) { self[keyPath: part] = number }
    }
    bodyTime = try settings.duration("server.bodyTime") ?? bodyTime
    bodyWindow = try settings.duration("server.bodyWindow") ?? bodyWindow
    requestsPerSecond = try settings.int("server.requestsPerSecond", in: 1...Int.max)
  }
}
