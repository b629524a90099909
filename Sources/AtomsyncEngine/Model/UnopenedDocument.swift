public import AtomsyncCore
package import Transit

/// A document of an encrypted atom that is there, and cannot be shown.
///
/// It is kept as it came. `Documents.undecodable` lists it with this error.
public struct UnopenedDocument: Error, Sendable, Hashable, CustomStringConvertible {
  /// Why it is not shown.
  public enum Reason: String, Sendable, Hashable {
    /// It was sealed by a key that this device was not given. With the key it opens by itself.
    case unknownKey = "unknown-key"
    /// It was changed after it was sealed, or sealed for another document, group or program.
    case damaged
    /// It was never sealed: who wrote it has no key.
    case unsealed
    /// It was genuine once, at another version: somebody shows it again.
    case replayed
  }

  /// Why it is not shown.
  public let reason: Reason
  /// The key that sealed it, with ``Reason/unknownKey``.
  public let key: KeyID?
  /// What came from the server.
  let original: Payload

  init(_ reason: Reason, key: KeyID? = nil, original: Payload) {
    self.reason = reason
    self.key = key
    self.original = original
  }

  init(after error: CipherError, original: Payload) {
    switch error {
    case .unknownKey(let key): self.init(.unknownKey, key: key, original: original)
    case .damaged: self.init(.damaged, original: original)
    }
  }

  /// Nobody who has a key can have meant this as the document's newest value.
  package var isForged: Bool { reason != .unknownKey }

  /// What is the matter, and what to do.
  public var description: String {
    switch reason {
    case .unknownKey:
      "It was sealed by the key \(key?.description ?? "of an unknown name"), which was not given. Open the atom with that key among those that read."
    case .damaged:
      "It was changed after it was sealed, or was sealed for another document. Ask who runs the server, or remove it."
    case .unsealed:
      "It was never sealed, so somebody without a key wrote it. Remove it, or open the atom so that it adopts such values."
    case .replayed:
      "It is an older value that the server shows as the newest. Ask who runs the server, or remove it."
    }
  }
}

extension UnopenedDocument {
  private static let tag = "unopened"

  /// How it stands in a replica's rows: `#unopened [:reason key original]`.
  var value: TransitValue {
    .tagged(
      Self.tag,
      .array([.keyword(reason.rawValue), key.map { .bytes($0.bytes) } ?? .null, .bytes(original.bytes)]))
  }

  /// The unopened document that a value stands for; `nil` for every other value. O(1)
  package init?(_ value: TransitValue) {
    guard case .tagged(let tagged) = value, tagged.tag == Self.tag, case .array(let parts) = tagged.rep,
      parts.count == 3, case .keyword(let name) = parts[0], let reason = Reason(rawValue: name.text),
      case .bytes(let original) = parts[2]
    else { return nil }
    var key: KeyID?
    if case .bytes(let bytes) = parts[1] { key = KeyID(bytes: bytes) }
    self.init(reason, key: key, original: Payload(bytes: original))
  }
}

extension MergeInput {
  /// What a merge is shown: a beginning that cannot be opened is none.
  ///
  /// - Throws: ``UnopenedDocument`` when the server's value cannot be opened: then there is nothing to merge with.
  func opened() throws -> MergeInput {
    if let unopened = remote.flatMap({ UnopenedDocument($0) }) { throw unopened }
    var input = self
    if let base, UnopenedDocument(base) != nil { input.base = nil }
    return input
  }
}

extension StoredValue {
  var unopened: UnopenedDocument? { UnopenedDocument(value) }
}
