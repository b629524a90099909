/// A setting that cannot be, in one line that names it and says what it may be.
public struct SettingsError: Error, CustomStringConvertible {
  public let description: String

  public init(_ message: String) { description = message }
}
