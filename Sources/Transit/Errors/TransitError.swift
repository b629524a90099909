/// Why bytes, text or a Swift value could not be read or written as Transit.
///
/// An error says what is wrong (`code`), where in the input (`offset`, in bytes, and `path`, from the root of the
/// value), and explains itself in one sentence (`message`). Reading never guesses: whatever is not valid Transit
/// ends here.
public struct TransitError: Error, Sendable, CustomStringConvertible {
  /// What went wrong, for a program to decide on.
  public enum Code: String, Sendable, Hashable, CaseIterable {
    /// The input ended inside a value, or was empty.
    case truncated
    /// The bytes are not JSON, MessagePack or EDN here.
    case malformed
    /// A text holds bytes that are not UTF-8.
    case invalidUTF8
    /// A JSON text escapes half of a surrogate pair, which a Swift string cannot hold.
    case loneSurrogate
    /// A number has no value in the type that must hold it.
    case numberOutOfRange
    /// The text of a scalar (`~i`, `~u`, `~m`, …) does not say a value of its type.
    case invalidScalar
    /// A cache code was never assigned, or is not a code at all.
    case invalidCacheCode
    /// A tag stands where only a value may, has no value, or has too many.
    case misplacedTag
    /// The representation under a known tag has the wrong shape.
    case invalidRepresentation
    /// A map or cmap has a key without a value.
    case oddMap
    /// A map form has an array or a map for a key; such a map must be a cmap.
    case compositeKey
    /// A MessagePack type that Transit does not use (`ext`).
    case unsupportedType
    /// Values are nested deeper than `TransitLimits.depth`.
    case tooDeep
    /// More bytes would be written than `TransitLimits.bytes`.
    case tooLarge
    /// More bytes follow the one value that was expected.
    case trailingBytes
    /// The next value is not of the type that was asked for.
    case typeMismatch
    /// A value has no Transit form, for example a tag without a name.
    case unencodable
    /// Calls on a reader or writer came in an order that makes no value.
    case misuse
    /// A custom handler threw.
    case handlerFailed
  }

  /// One step from the root of a value to the place of an error.
  public enum PathElement: Sendable, Hashable, CustomStringConvertible {
    /// The element of an array, list, set, or the flat pairs of a map whose keys are not known.
    case index(Int)
    /// The value under a key of a map, the key as EDN.
    case key(String)

    /// The index or the key in brackets.
    public var description: String {
      switch self {
      case .index(let index): "[\(index)]"
      case .key(let key): "[\(key)]"
      }
    }
  }

  private let storage: Storage

  /// What went wrong.
  public var code: Code { storage.code }
  /// A sentence for people.
  public var message: String { storage.message }
  /// Where in the input, in bytes from its start; nil when no input is involved.
  public var offset: Int? { storage.offset }
  /// The way from the root to the place, outermost first; empty at the root.
  public var path: [PathElement] { storage.reversedPath.reversed() }

  /// - Parameters:
  ///   - code: what went wrong.
  ///   - message: a sentence for people.
  ///   - offset: the byte offset in the input, if there is one.
  ///   - path: the way from the root, outermost first.
  public init(_ code: Code, _ message: String, offset: Int? = nil, path: [PathElement] = []) {
    storage = Storage(code: code, message: message, offset: offset, reversedPath: path.reversed())
  }

  private init(_ storage: Storage) {
    self.storage = storage
  }

  /// The code and the message, with the offset and the path where there are any.
  public var description: String {
    var text = "\(code.rawValue): \(message)"
    if let offset { text += " (at byte \(offset))" }
    if !path.isEmpty { text += " (in \(path.map(\.description).joined()))" }
    return text
  }

  /// More was written than is allowed.
  static func tooLarge(offset: Int? = nil) -> TransitError {
    TransitError(.tooLarge, "more bytes would be written than the limit allows", offset: offset)
  }

  /// The same error, seen from one level further out.
  func inside(_ element: PathElement) -> TransitError {
    var path = storage.reversedPath
    path.append(element)
    return TransitError(
      Storage(code: code, message: message, offset: offset, reversedPath: path))
  }

  /// The same error with another offset, for parts that were read out of place.
  func moved(to offset: Int) -> TransitError {
    TransitError(
      Storage(code: code, message: message, offset: offset, reversedPath: storage.reversedPath))
  }

  /// Boxed, so that a throwing function returns one word and the way without an error stays short.
  private final class Storage: Sendable {
    let code: Code
    let message: String
    let offset: Int?
    let reversedPath: [PathElement]

    init(code: Code, message: String, offset: Int?, reversedPath: [PathElement]) {
      self.code = code
      self.message = message
      self.offset = offset
      self.reversedPath = reversedPath
    }
  }
}
