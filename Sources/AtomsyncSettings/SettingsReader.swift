internal import AtomsyncCore
public import Configuration
internal import Foundation

/// Settings from wherever swift-configuration finds them, with errors that name what is wrong.
///
/// A name is a path such as `retry.initialDelay`. In the environment that is `ATOMSYNC_RETRY_INITIAL_DELAY`; in a JSON
/// file it is `{"retry": {"initialDelay": "250ms"}}`.
///
/// An empty text counts as absent, because that is how a variable is unset where it cannot be removed.
public final class SettingsReader: Sendable {
  private let reader: ConfigReader
  /// What the file sets.
  private let names: Set<String>
  /// What the file sets to several values.
  private let lists: Set<String>
  private let asked = Lock<Set<String>>([])

  /// Reads from providers of your own.
  ///
  /// - Parameter reader: looked up by the names as they are; give the environment's provider a prefix:
  ///   `EnvironmentVariablesProvider().prefixKeys(with: "atomsync")`.
  public init(_ reader: ConfigReader) {
    self.reader = reader
    names = []
    lists = []
  }

  /// Reads from an environment, and from a file what the environment does not say.
  ///
  /// - Parameters:
  ///   - environment: variables by name, as of `ProcessInfo`.
  ///   - file: the path of a JSON file; `nil` for none.
  /// - Throws: ``SettingsError`` when the file cannot be read.
  public init(environment: [String: String], file: String? = nil) throws {
    let file = try file.map { try SettingsFile($0) }
    let values = file?.values ?? [:]
    // Where two names are one variable, one of them is no setting.
    let variables = Dictionary(values.map { (Self.variable($0.key), $0.value) }) { first, _ in first }
    let environment = environment.filter { !$0.value.isEmpty }
    reader = ConfigReader(
      providers: [environment, variables].map {
        EnvironmentVariablesProvider(environmentVariables: $0).prefixKeys(with: "atomsync")
      })
    names = Set(values.keys)
    // What the environment says instead is no list.
    lists = (file?.lists ?? []).filter { environment[Self.variable($0)] == nil }
  }

  // MARK: Values

  // What the command line says wins, and what the settings say is then not looked at; but the name is known.

  /// - Parameters:
  ///   - name: of the setting.
  ///   - given: what the command line says.
  ///   - isSecret: whether the provider's reports of what is read leave the value out.
  /// - Throws: ``SettingsError`` when it is no text.
  public func string(_ name: String, unless given: String? = nil, isSecret: Bool = false) throws -> String? {
    let key = key(name)
    if let given { return given }
    try refuseList(name, "one text")
    let text = reader.string(forKey: key, isSecret: isSecret)
    if text == nil { try refuseOtherTypes(name, "a text") }
    return text.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// - Parameters:
  ///   - name: of the setting.
  ///   - given: what the command line says.
  ///   - range: what it may be.
  /// - Throws: ``SettingsError`` when it is no whole number of the range.
  public func int(
    _ name: String, unless given: Int? = nil, in range: ClosedRange<Int> = 0...Int.max
  ) throws -> Int? {
    let key = key(name)
    if let given { return given }
    let what =
      range.upperBound == .max
      ? "a number from \(range.lowerBound)" : "a number from \(range.lowerBound) to \(range.upperBound)"
    try refuseList(name, what)
    guard let number = reader.int(forKey: key) else {
      if let text = reader.string(forKey: key), !text.isEmpty { throw refusal(name, what, text) }
      try refuseOtherTypes(name, what)
      return nil
    }
    guard range.contains(number) else { throw refusal(name, what, "\(number)") }
    return number
  }

  /// A flag: a JSON boolean, or `1`, `true`, `yes`, `0`, `false` or `no`.
  ///
  /// - Parameters:
  ///   - name: of the setting.
  ///   - given: what the command line says.
  /// - Throws: ``SettingsError`` when it is something else.
  public func bool(_ name: String, unless given: Bool? = nil) throws -> Bool? {
    let key = key(name)
    if let given { return given }
    try refuseList(name, "true or false")
    if let text = reader.string(forKey: key) {
      switch text.lowercased() {
      case "": return nil
      case "0", "false", "no": return false
      case "1", "true", "yes": return true
      default: throw refusal(name, "1 or 0", text)
      }
    }
    if let flag = reader.bool(forKey: key) { return flag }
    try refuseOtherTypes(name, "true or false")
    return nil
  }

  /// A duration: a number of seconds, or a number with `ms`, `s`, `m`, `h` or `d`.
  ///
  /// - Throws: ``SettingsError`` when it is something else, or not positive.
  public func duration(_ name: String) throws -> Duration? {
    let what = "a duration such as 250ms, 30s, 5m, 12h or 30d"
    try refuseList(name, what)
    let key = key(name)
    if let text = reader.string(forKey: key) {
      if text.isEmpty { return nil }
      guard let duration = Duration(setting: text) else { throw refusal(name, what, text) }
      return duration
    }
    guard let seconds = reader.double(forKey: key) else {
      try refuseOtherTypes(name, what)
      return nil
    }
    guard seconds > 0, seconds <= Duration.longestSetting else { throw refusal(name, what, "\(seconds)") }
    return .seconds(seconds)
  }

  /// Names separated by spaces or commas, or a JSON array of texts.
  ///
  /// - Parameters:
  ///   - name: of the setting.
  ///   - given: what the command line says; empty when it says nothing.
  /// - Throws: ``SettingsError`` when it is something else.
  public func strings(_ name: String, unless given: [String] = []) throws -> [String] {
    let key = key(name)
    if !given.isEmpty { return given }
    if let text = reader.string(forKey: key) {
      return text.split { $0 == " " || $0 == "," }.map(String.init)
    }
    if let texts = reader.stringArray(forKey: key) { return texts }
    try refuseOtherTypes(name, "a list of texts")
    return []
  }

  /// Looks for misspelt names, once everything has been read.
  ///
  /// - Throws: ``SettingsError`` when the file sets something that nobody has asked for.
  public func requireAllKnown() throws {
    let known = asked.withLock { $0 }
    guard let name = names.subtracting(known).min() else { return }
    let nearest = known.min { ($0.distance(to: name), $0) < ($1.distance(to: name), $1) }
    let hint = nearest.map { $0.distance(to: name) <= 3 ? " Did you mean \($0)?" : "" } ?? ""
    throw SettingsError("The settings file sets \(name.prefix(100)), which is no setting.\(hint)")
  }

  // MARK: Errors

  /// The error for a setting whose value cannot be.
  ///
  /// - Parameters:
  ///   - name: of the setting.
  ///   - what: it has to be.
  ///   - found: what it is.
  public func refusal(_ name: String, _ what: String, _ found: String) -> SettingsError {
    SettingsError("\(name) (\(Self.variable(name))) must be \(what); it is “\(found.prefix(100))”.")
  }

  /// What a setting is called in the environment.
  static func variable(_ name: String) -> String {
    let words = name.reduce(into: "") { words, character in
      if character.isUppercase { words.append("_") }
      words.append(character == "." ? "_" : character)
    }
    return "ATOMSYNC_\(words.uppercased())"
  }

  private func key(_ name: String) -> ConfigKey {
    asked.withLock { _ = $0.insert(name) }
    return ConfigKey(Self.path(name))
  }

  private func refuseList(_ name: String, _ what: String) throws {
    if lists.contains(name) { throw refusal(name, what, "a list") }
  }

  /// swift-configuration answers nothing both for what is absent and for what has another type.
  private func refuseOtherTypes(_ name: String, _ what: String) throws {
    let key = key(name)
    let found: (any CustomStringConvertible)? =
      reader.bool(forKey: key) ?? reader.double(forKey: key) ?? reader.stringArray(forKey: key)
    if let found { throw refusal(name, what, found.description) }
  }

  private static func path(_ name: String) -> [String] {
    name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
  }
}

extension Duration {
  /// A hundred years, in seconds: more is a mistake.
  static let longestSetting: Double = 100 * 366 * 24 * 3600

  /// `nil` when the text is no duration.
  init?(setting text: String) {
    let units: [(String, Double)] = [
      ("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 24 * 3600), ("", 1),
    ]
    guard let (unit, seconds) = units.first(where: { text.hasSuffix($0.0) }),
      let number = Self.decimal(text.dropLast(unit.count)), number > 0,
      number * seconds <= Self.longestSetting
    else { return nil }
    self = .seconds(number * seconds)
  }

  /// Digits, with a point perhaps, and perhaps spaces before the unit.
  private static func decimal(_ text: Substring) -> Double? {
    let end = text.lastIndex { $0 != " " }.map(text.index(after:)) ?? text.startIndex
    let digits = text[..<end]
    return digits.utf8.allSatisfy { (48...57).contains($0) || $0 == 46 } ? Double(digits) : nil
  }
}

extension String {
  /// How many letters have to be changed, added or left out, without regard to case (Levenshtein). Names are short.
  fileprivate func distance(to other: String) -> Int {
    let (left, right) = (Array(lowercased().prefix(100)), Array(other.lowercased().prefix(100)))
    var row = Array(0...right.count)
    for (i, letter) in left.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, otherLetter) in right.enumerated() {
        let changed = diagonal + (letter == otherLetter ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = Swift.min(changed, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[right.count]
  }
}
