/// Keeps the entries of a map that a type does not know, so that they survive decode → change → encode.
///
/// A program that reads a document written by a newer one, changes a field and writes it back must not lose the rest.
/// Keep a `TransitRest` beside the known properties, and name the known keys once, as `CodingKeys`:
///
/// ```swift
/// struct Todo: Codable {
///   var text: String
///   var done: Bool
///   var rest = TransitRest()
///
///   enum CodingKeys: String, CodingKey, CaseIterable { case text, done }
///
///   init(from decoder: any Decoder) throws {
///     let known = try decoder.container(keyedBy: CodingKeys.self)
///     text = try known.decode(String.self, forKey: .text)
///     done = try known.decode(Bool.self, forKey: .done)
///     rest = try TransitRest(from: decoder, without: CodingKeys.self)
///   }
///
///   func encode(to encoder: any Encoder) throws {
///     var known = encoder.container(keyedBy: CodingKeys.self)
///     try known.encode(text, forKey: .text)
///     try known.encode(done, forKey: .done)
///     try rest.encode(into: encoder)
///   }
/// }
/// ```
///
/// It works with `TransitEncoder` and `TransitDecoder`; with other coders there is no rest.
public struct TransitRest: Hashable, Sendable {
  /// The entries that the type does not know, whatever their keys and values are.
  public var map: TransitMap

  /// No entries.
  public init() { map = TransitMap() }

  /// - Parameter map: the entries to keep.
  public init(_ map: TransitMap) { self.map = map }

  /// Takes the entries whose keys are none of some coding keys, be they keywords or strings. O(n).
  public init<Key: CodingKey & CaseIterable>(from decoder: any Decoder, without known: Key.Type) throws {
    self.init()
    guard let decoder = decoder as? ValueDecoder, case .map(let all) = decoder.value else { return }
    let names = Set(Key.allCases.map(\.stringValue))
    for (key, value) in all {
      if let name = key.keywordValue?.text ?? key.stringValue, names.contains(name) { continue }
      map[key] = value
    }
  }

  /// Adds the entries to the map that a type is writing.
  ///
  /// Call it after `encoder.container(keyedBy:)`. An entry whose key the type has written itself is not added.
  public func encode(into encoder: any Encoder) throws {
    guard let encoder = encoder as? ValueEncoder else { return }
    encoder.add(rest: map)
  }
}
