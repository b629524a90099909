internal import AtomsyncSettings

/// Where metrics are served: a port of this machine, or `HOST:PORT`.
struct MetricsAddress {
  var host = "127.0.0.1"
  var port: Int

  /// - Throws: ``SettingsError``.
  init(_ text: String) throws(SettingsError) {
    let colon = text.lastIndex(of: ":")
    if let colon { host = text[..<colon].filter { $0 != "[" && $0 != "]" } }
    guard let port = Int(colon.map { text[text.index(after: $0)...] } ?? text[...]),
      (0...65_535).contains(port),
      !host.isEmpty
    else { throw SettingsError("Metrics are served at PORT or HOST:PORT; it is “\(text)”.") }
    self.port = port
  }
}
