/// A Swift type with a Transit tag of its own.
///
/// `TransitEncoder` writes such a value as `["~#tag", rep]`, and `TransitDecoder` reads it back.
///
/// ```swift
/// struct Point: TransitRepresentable {
///   static let transitTag = "point"
///   var x, y: Double
///   var transitRep: TransitValue { [.double(x), .double(y)] }
///   init(transitRep rep: TransitValue) throws {
///     guard let x = rep[0]?.doubleValue, let y = rep[1]?.doubleValue else { throw Malformed() }
///     (self.x, self.y) = (x, y)
///   }
/// }
/// ```
public protocol TransitRepresentable: Codable {
  /// The tag, without `~#`. A tag of Transit's own cannot be used.
  static var transitTag: String { get }

  /// What stands under the tag.
  var transitRep: TransitValue { get throws }

  /// Makes a value from what stands under the tag.
  init(transitRep: TransitValue) throws
}

extension TransitRepresentable {
  /// The tagged value.
  public var transitValue: TransitValue {
    get throws { .tagged(Self.transitTag, try transitRep) }
  }

  /// Reads the tagged value, from a `TransitDecoder` or any other that a ``TransitValue`` can be read from.
  public init(from decoder: any Decoder) throws {
    let value = try TransitValue(from: decoder)
    guard case .tagged(let tagged) = value, tagged.tag == Self.transitTag else {
      throw DecodingError.typeMismatch(
        Self.self,
        DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "found \(value.typeName)"))
    }
    try self.init(transitRep: tagged.rep)
  }

  /// Writes the tagged value.
  public func encode(to encoder: any Encoder) throws {
    try (try transitValue).encode(to: encoder)
  }
}

/// What to do with tags that have no meaning to Transit itself.
///
/// A handler turns what stands under a tag into another value, as the value is read: for example a `point` into a map,
/// or an old tag into a new one. Tags without a handler are kept as they are.
///
/// ```swift
/// var handlers = TransitHandlers()
/// handlers["point"] = { rep in ["x": rep[0] ?? .null, "y": rep[1] ?? .null] }
/// let value = try TransitValue(transit: bytes, format: .json, handlers: handlers)
/// ```
public struct TransitHandlers: Sendable {
  /// Makes a value from what stands under a tag.
  public typealias Handler = @Sendable (TransitValue) throws -> TransitValue

  private var handlers: [String: Handler] = [:]

  /// No handlers.
  public init() {}

  /// Whether there is no handler.
  public var isEmpty: Bool { handlers.isEmpty }

  /// The handler of a tag, given without `~#`.
  public subscript(tag: String) -> Handler? {
    get { handlers[tag] }
    set { handlers[tag] = newValue }
  }

  /// A value in which every tag with a handler has been replaced, innermost first. O(n).
  ///
  /// - Throws: `handlerFailed` with the message of what a handler threw, and the path.
  public func apply(to value: TransitValue) throws(TransitError) -> TransitValue {
    if handlers.isEmpty { return value }
    return try replace(value)
  }

  private func replace(_ value: TransitValue) throws(TransitError) -> TransitValue {
    switch value {
    case .array(let items): return .array(try replace(items))
    case .list(let items): return .list(try replace(items))
    case .set(let set): return .set(TransitSet(try replace(set.elements)))
    case .map(let map):
      var result = TransitMap()
      for (key, value) in map {
        do throws(TransitError) {
          result[try replace(key)] = try replace(value)
        } catch {
          throw error.inside(.key(key.description))
        }
      }
      return .map(result)
    case .tagged(let tagged):
      let rep = try replace(tagged.rep)
      guard let handler = handlers[tagged.tag] else { return .tagged(tagged.tag, rep) }
      do {
        return try handler(rep)
      } catch {
        throw TransitError(.handlerFailed, "the handler of '\(tagged.tag)' failed: \(error)")
      }
    default: return value
    }
  }

  private func replace(_ items: [TransitValue]) throws(TransitError) -> [TransitValue] {
    var result: [TransitValue] = []
    result.reserveCapacity(items.count)
    for (index, item) in items.enumerated() {
      do throws(TransitError) {
        result.append(try replace(item))
      } catch {
        throw error.inside(.index(index))
      }
    }
    return result
  }

  /// Makes a represented type from its tagged value.
  static func decode<T: TransitRepresentable>(
    _ type: T.Type, _ decoder: ValueDecoder
  ) throws -> T {
    guard case .tagged(let tagged) = decoder.value, tagged.tag == T.transitTag else {
      throw decoder.mismatch(type)
    }
    do {
      return try T(transitRep: tagged.rep)
    } catch let error as DecodingError {
      throw error
    } catch {
      throw decoder.corrupted("the tag '\(tagged.tag)' could not be read: \(error)")
    }
  }
}

extension TransitValue {
  /// Decodes exactly one value and applies handlers to its tags. O(n).
  public init(
    transit bytes: [UInt8], format: TransitFormat, limits: TransitLimits = .standard,
    handlers: TransitHandlers
  ) throws(TransitError) {
    self = try handlers.apply(to: try TransitValue(transit: bytes, format: format, limits: limits))
  }
}
