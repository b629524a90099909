internal import AtomsyncCore
internal import AtomsyncEngine
internal import Transit

/// What an atom's documents were decoded to, so that reading one again costs no decoding.
///
/// A document that was written anew has other bytes in memory, and is decoded anew.
final class DecodedDocuments<Element: Codable & Sendable>: Sendable {
  private struct Entry {
    /// Kept, so that the memory is no other document's while it is compared by its address.
    var bytes: [UInt8]
    var element: Result<Element, any Error>
  }

  typealias Pair = (id: String, value: Element)

  private let entries = Lock<[String: Entry]>([:])
  /// All that can be decoded of one revision, for those who go through them again.
  private let all = Lock<(revision: SnapshotOverlay.Origin, pairs: [Pair])?>(nil)

  func pairs(of revision: SnapshotOverlay.Origin?) -> [Pair]? {
    guard let revision else { return nil }
    return all.withLock { all in all.flatMap { $0.revision == revision ? $0.pairs : nil } }
  }

  func keep(_ pairs: [Pair], of revision: SnapshotOverlay.Origin?) {
    if let revision { all.withLock { $0 = (revision, pairs) } }
  }

  /// - Parameters:
  ///   - payload: the document's bytes; `nil` for one that was assigned and not stored yet, which is decoded each time.
  ///   - most: how many documents there are. Those that are kept are bounded by it.
  func element(
    _ id: String, _ value: TransitValue, _ payload: Payload?, most: Int
  ) -> Result<Element, any Error> {
    guard Element.self != TransitValue.self, let bytes = payload?.bytes else { return Self.decode(value) }
    let found = entries.withLock { entries -> Result<Element, any Error>? in
      guard let entry = entries[id], Self.isSame(entry.bytes, bytes) else { return nil }
      return entry.element
    }
    if let found { return found }
    let element = Self.decode(value)
    entries.withLock { entries in
      // Of documents that are no more.
      if entries.count > 2 * most + 64 { entries.removeAll() }
      entries[id] = Entry(bytes: bytes, element: element)
    }
    return element
  }

  private static func decode(_ value: TransitValue) -> Result<Element, any Error> {
    Result { try ElementCoding.decode(value) }
  }

  private static func isSame(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.withUnsafeBufferPointer { left in
      right.withUnsafeBufferPointer { $0.baseAddress == left.baseAddress && $0.count == left.count }
    }
  }
}
