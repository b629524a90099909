/// The keys of an atom: one that seals, and those that open as well.
///
/// To change the key:
/// 1. Give every device the new key as an ``upcoming`` one, so that it can read what others seal by it.
/// 2. Open the atoms with a ring whose ``writing`` is the new key, and whose ``reading`` has the old one. What the old one has
///    sealed is then sealed anew in the background, a hundred documents at a time.
/// 3. When nothing is left that the old key has sealed, it can go, unless it hides ids.
public struct KeyRing: Sendable, Hashable {
  /// Seals.
  public var writing: EncryptionKey
  /// Older keys. They open what they have sealed, which is then sealed anew by ``writing``.
  public var reading: [EncryptionKey]
  /// Newer keys, which others seal by already. They open what they have sealed, and that stays as it is.
  public var upcoming: [EncryptionKey]
  /// Hides the ids of documents. With hidden ids it has to stay what it was in the beginning: it is the first key, and ``writing``
  /// unless you say otherwise.
  public var ids: EncryptionKey

  /// A ring of these keys.
  ///
  /// - Parameters:
  ///   - writing: seals.
  ///   - reading: older keys.
  ///   - upcoming: newer keys.
  ///   - ids: hides ids; `nil` for `writing`.
  public init(
    writing: EncryptionKey, reading: [EncryptionKey] = [], upcoming: [EncryptionKey] = [],
    ids: EncryptionKey? = nil
  ) {
    self.writing = writing
    self.reading = reading
    self.upcoming = upcoming
    self.ids = ids ?? writing
  }

  /// A ring from a text file with a key in each line: the first seals, those after it are older ones, the last of which hides
  /// ids. A `>` stands before upcoming keys. Empty lines and what follows a `#` do not count.
  ///
  /// - Throws: ``EncryptionKeyError``.
  public init(text: String) throws {
    var keys: [EncryptionKey] = []
    var upcoming: [EncryptionKey] = []
    for line in text.split(whereSeparator: \.isNewline) {
      let line = line.prefix { $0 != "#" }.drop(while: \.isWhitespace)
      if line.isEmpty { continue }
      if line.first == ">" {
        upcoming.append(try EncryptionKey(text: String(line.dropFirst())))
      } else {
        keys.append(try EncryptionKey(text: String(line)))
      }
    }
    guard let first = keys.first, let last = keys.last else { throw EncryptionKeyError.noKey }
    self.init(writing: first, reading: Array(keys.dropFirst()), upcoming: upcoming, ids: last)
  }
}
