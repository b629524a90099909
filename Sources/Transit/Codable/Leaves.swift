#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Swift types that are Transit values of their own, as opposed to types that describe themselves by containers.
enum Leaf: UInt8 {
  case none, value, string, date, uuid, url, data, decimal, keyword, symbol, instant, bigInteger, bigDecimal,
    map, set
  /// A type with a string or integer for raw value.
  case raw
  /// A set or dictionary.
  case collection
  /// A type that says its own tag.
  case represented

  /// What a type is. The answer for a type never changes.
  static func of(_ type: any Any.Type) -> Leaf {
    if type == TransitValue.self { return .value }
    if type == String.self { return .string }
    if type == Date.self { return .date }
    if type == UUID.self { return .uuid }
    if type == URL.self { return .url }
    if type == Data.self { return .data }
    if type == Decimal.self { return .decimal }
    if type == Keyword.self { return .keyword }
    if type == Symbol.self { return .symbol }
    if type == Instant.self { return .instant }
    if type == TransitBigInteger.self { return .bigInteger }
    if type == TransitBigDecimal.self { return .bigDecimal }
    if type == TransitMap.self { return .map }
    if type == TransitSet.self { return .set }
    if type is any TransitRepresentable.Type { return .represented }
    if type is any TransitCollection.Type { return .collection }
    if type is any RawRepresentable.Type { return .raw }
    return .none
  }
}

/// What each type is, learned once per encoder or decoder.
///
/// The memory is its own, since a property of a class would be checked for overlapping access at every use.
struct LeafTable: ~Copyable {
  struct Entry {
    let type: ObjectIdentifier
    let leaf: Leaf
    /// The type as a collection, if it is one; looking that up costs more than all the rest.
    let collection: (any TransitCollection.Type)?
  }

  private static let capacity = 64
  private let entries = UnsafeMutablePointer<Entry>.allocate(capacity: capacity)
  private let count = UnsafeMutablePointer<Int>.allocate(capacity: 1)

  init() { count.initialize(to: 0) }

  deinit {
    entries.deallocate()
    count.deallocate()
  }

  @inline(__always)
  func entry(_ type: any Any.Type) -> UnsafeMutablePointer<Entry> {
    let id = ObjectIdentifier(type)
    var index = 0
    while index < count.pointee {
      if entries[index].type == id { return entries + index }
      index &+= 1
    }
    return learn(type, id)
  }

  private func learn(_ type: any Any.Type, _ id: ObjectIdentifier) -> UnsafeMutablePointer<Entry> {
    let leaf = Leaf.of(type)
    // Programs code few types; should one code many, all are learned again.
    if count.pointee == Self.capacity { count.pointee = 0 }
    let entry = entries + count.pointee
    let collection = leaf == .collection ? type as? any TransitCollection.Type : nil
    entry.initialize(to: Entry(type: id, leaf: leaf, collection: collection))
    count.pointee += 1
    return entry
  }
}

/// Tells the compiler that a type is the one it was found to be.
@inline(__always)
func identity<From, To>(_ value: From, as type: To.Type) -> To {
  precondition(From.self == To.self, "a type is not what it was found to be")
  return unsafeBitCast(value, to: To.self)
}
