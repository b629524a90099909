/// The keys of an atom: one that seals, and those that open as well.
///
/// To change the key, open the atom with a ring whose ``writing`` is the new one and whose ``reading`` has the old. Documents
/// are then sealed anew in the background, a hundred at a time, by whichever device may write; every device needs the new
/// ring before it can read them. When no document is left that is sealed by the old key, it can go.
public struct KeyRing: Sendable, Hashable {
  /// Seals.
  public var writing: EncryptionKey
  /// Open what they have sealed, beside ``writing``.
  public var reading: [EncryptionKey]
  /// Hides the ids of documents. With hidden ids it has to stay what it was in the beginning: it is the first key, and ``writing``
  /// unless you say otherwise.
  public var ids: EncryptionKey

  /// A ring of these keys.
  ///
  /// - Parameters:
  ///   - writing: seals.
  ///   - reading: open as well.
  ///   - ids: hides ids; `nil` for `writing`.
  public init(writing: EncryptionKey, reading: [EncryptionKey] = [], ids: EncryptionKey? = nil) {
    self.writing = writing
    self.reading = reading
    self.ids = ids ?? writing
  }

  /// A ring from a text file with a key in each line: the first seals, the last hides ids, all open. Empty lines and what
  /// follows a `#` do not count.
  ///
  /// - Throws: ``EncryptionKeyError``.
  public init(text: String) throws {
    let lines = text.split(whereSeparator: \.isNewline).compactMap { line -> String? in
      let key = line.prefix { $0 != "#" }
      return key.allSatisfy(\.isWhitespace) ? nil : String(key)
    }
    let keys = try lines.map { try EncryptionKey(text: $0) }
    guard let first = keys.first, let last = keys.last else { throw EncryptionKeyError.noKey }
    self.init(writing: first, reading: Array(keys.dropFirst()), ids: last)
  }
}
