/// A setting that cannot be, in one line that names it and says what it may be.
public struct SettingsError: Error, CustomStringConvertible {
  /// What is wrong, in one line for people.
  public let description: String

  /// An error with this line.
  public init(_ message: String) { description = message }
}
