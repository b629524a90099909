/// The environment as the second place to look for a setting, after the command line.
struct Environment {
  private let variables: [String: String]

  init(_ variables: [String: String]) { self.variables = variables }

  /// A variable's text; an empty one is none.
  subscript(_ variable: String) -> String? {
    variables[variable].flatMap { $0.isEmpty ? nil : $0 }
  }

  func flag(_ variable: String) throws -> Bool {
    switch self[variable]?.lowercased() {
    case nil, "0", "false", "no": false
    case "1", "true", "yes": true
    case let text?: throw SettingsError("\(variable) must be 1 or 0; it is “\(text)”.")
    }
  }
}

/// A setting that cannot be.
struct SettingsError: Error, CustomStringConvertible {
  var description: String
  init(_ message: String) { description = message }
}
