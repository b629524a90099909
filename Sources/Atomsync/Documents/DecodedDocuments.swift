internal import AtomsyncCore
internal import AtomsyncEngine
internal import Transit

/// What an atom's documents were decoded to, so that reading one again costs no decoding.
///
/// A document that was written anew has other bytes in memory, and is decoded anew.
final class DecodedDocuments<Element: Codable & Sendable>: Sendable {
  typealias Pair = (id: String, value: Element)

  private struct Entry {
    /// Kept, so that the memory is no other document's while it is compared by its address.
    var bytes: [UInt8]
    var element: Result<Element, any Error>
  }

  private struct State {
    var entries: [String: Entry] = [:]
    /// The most documents that there have been at once, which bounds the entries: some are of documents that are no more.
    var most = 0
    /// All that can be decoded of one revision, for those who go through them again.
    var all: (revision: SnapshotOverlay.Origin, pairs: [Pair])?
  }

  private let state = Lock(State())

  /// Whether it gains anything to keep what was decoded.
  let keeps = Element.self != TransitValue.self

  func pairs(of revision: SnapshotOverlay.Origin?) -> [Pair]? {
    guard let revision else { return nil }
    return state.withLock { state in state.all.flatMap { $0.revision == revision ? $0.pairs : nil } }
  }

  func keep(_ pairs: [Pair], of revision: SnapshotOverlay.Origin?) {
    guard let revision else { return }
    let replaced = state.withLock { state in
      defer { state.all = (revision, pairs) }
      return state.all
    }
    // Elements may run code of the application's when they go, which is not for inside the lock.
    withExtendedLifetime(replaced) {}
  }

  /// - Parameters:
  ///   - payload: the document's bytes; `nil` for one that was assigned and not stored yet, which is decoded each time.
  ///   - count: how many documents there are.
  func element(
    _ id: String, _ value: TransitValue, _ payload: Payload?, count: Int
  ) -> Result<Element, any Error> {
    guard keeps, let bytes = payload?.bytes else { return Result { try ElementCoding.decode(value) } }
    let found = state.withLock { state -> Result<Element, any Error>? in
      guard let entry = state.entries[id], Self.isSame(entry.bytes, bytes) else { return nil }
      return entry.element
    }
    if let found { return found }
    let element = Result { try ElementCoding.decode(value) as Element }
    let replaced = state.withLock { state -> ([String: Entry], Entry?) in
      state.most = max(state.most, count)
      var forgotten: [String: Entry] = [:]
      if state.entries.count > 2 * state.most + 64 { swap(&forgotten, &state.entries) }
      return (forgotten, state.entries.updateValue(Entry(bytes: bytes, element: element), forKey: id))
    }
    withExtendedLifetime(replaced) {}
    return element
  }

  private static func isSame(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.withUnsafeBufferPointer { left in
      right.withUnsafeBufferPointer { $0.baseAddress == left.baseAddress && $0.count == left.count }
    }
  }
}
