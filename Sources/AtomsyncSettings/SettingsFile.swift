internal import Foundation

/// A JSON file of settings, each as the text that it would be in the environment, so that both are read alike.
struct SettingsFile {
  /// What is set, by name. Lists are separated by spaces.
  private(set) var values: [String: String] = [:]
  /// The names whose values are lists.
  private(set) var lists: Set<String> = []
  private let path: String
  /// More is no file of settings.
  private static let maximumBytes = 1 << 20

  /// - Throws: ``SettingsError``: it cannot be read, is no JSON object, or has a value that no setting has.
  init(_ path: String) throws(SettingsError) {
    self.path = path
    let object: Any
    do {
      object = try JSONSerialization.jsonObject(with: try Self.data(path))
    } catch let error as SettingsError {
      throw error
    } catch {
      let reason = (error as NSError).userInfo[NSDebugDescriptionErrorKey] as? String ?? "it is empty."
      throw SettingsError("The settings file \(path) is no JSON: \(reason)")
    }
    guard let object = object as? [String: Any] else {
      throw SettingsError("The settings file \(path) has to be a JSON object, such as {\"port\": 8090}.")
    }
    try add(object, under: [])
  }

  private static func data(_ path: String) throws -> Data {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    guard let attributes else { throw SettingsError("There is no settings file \(path).") }
    // What is linked is what counts.
    let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let target = try? FileManager.default.attributesOfItem(atPath: real)
    guard (target ?? attributes)[.type] as? FileAttributeType == .typeRegular else {
      throw SettingsError("The settings file \(path) is no file.")
    }
    guard ((target ?? attributes)[.size] as? Int) ?? 0 <= maximumBytes else {
      throw SettingsError("The settings file \(path) is larger than 1 MiB.")
    }
    guard let data = FileManager.default.contents(atPath: real) else {
      throw SettingsError("The settings file \(path) cannot be read. Look at its permissions.")
    }
    return data
  }

  private mutating func add(_ object: [String: Any], under path: [String]) throws(SettingsError) {
    for (key, value) in object {
      let path = path + [key]
      if let object = value as? [String: Any] {
        try add(object, under: path)
      } else {
        let name = path.joined(separator: ".")
        if let list = value as? [Any] {
          var texts: [String] = []
          for value in list { texts.append(try text(value, name)) }
          values[name] = texts.joined(separator: " ")
          lists.insert(name)
        } else {
          values[name] = try text(value, name)
        }
      }
    }
  }

  private func text(_ value: Any, _ name: String) throws(SettingsError) -> String {
    switch value {
    case let text as String where !text.isEmpty: return text
    // A flag is a number as well.
    case let number as NSNumber:
      return isFlag(number) ? (number.boolValue ? "true" : "false") : number.stringValue
    default:
      throw SettingsError(
        "\(name.prefix(100)) in \(path) is empty, null or nested. Give it a value, or leave it out.")
    }
  }

  private func isFlag(_ number: NSNumber) -> Bool { String(cString: number.objCType) == "c" }
}
