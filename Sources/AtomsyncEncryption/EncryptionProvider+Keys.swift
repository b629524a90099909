public import AtomsyncCore

extension EncryptionProvider {
  /// What of a document the server is told beside its size.
  public enum DocumentIDs: Sendable, Hashable {
    /// Its id.
    case readable
    /// A pseudonym of 22 characters, which is always the same for the same id. Only for groups that are encrypted from
    /// their beginning.
    case hidden
  }

  /// Encrypts with one key.
  ///
  /// ```swift
  /// let diary = try await client.atom("diary", transport: server, encryption: .key(key))
  /// ```
  ///
  /// - Parameters:
  ///   - key: seals and opens. The same on every device.
  ///   - ids: whether the server is told the ids of documents. The same on every device.
  ///   - local: whether the store on this machine is sealed as well.
  public static func key(
    _ key: EncryptionKey, ids: DocumentIDs = .readable, local: Bool = false
  ) -> EncryptionProvider {
    keys(KeyRing(writing: key), ids: ids, local: local)
  }

  /// Encrypts with several keys: while one takes the place of another.
  ///
  /// - Parameters:
  ///   - ring: the keys.
  ///   - ids: whether the server is told the ids of documents. The same on every device.
  ///   - local: whether the store on this machine is sealed as well.
  ///   - adoptingUnsealed: takes values that were never sealed, and seals them in the background: for a group that was not encrypted
  ///     before, and only until it is, because the server can make up such values. Not with hidden ids.
  public static func keys(
    _ ring: KeyRing, ids: DocumentIDs = .readable, local: Bool = false, adoptingUnsealed: Bool = false
  ) -> EncryptionProvider {
    keys(ids: ids, local: local, adoptingUnsealed: adoptingUnsealed) { ring }
  }

  /// Encrypts with keys that are fetched each time the atom is opened: from a keychain, or by asking for a passphrase.
  ///
  /// - Parameters:
  ///   - ids: whether the server is told the ids of documents. The same on every device.
  ///   - local: whether the store on this machine is sealed as well.
  ///   - adoptingUnsealed: takes values that were never sealed, and seals them in the background.
  ///   - fetch: fetches the keys. What it throws, the opening of the atom throws.
  public static func keys(
    ids: DocumentIDs = .readable, local: Bool = false, adoptingUnsealed: Bool = false,
    from fetch: @escaping @Sendable () async throws -> KeyRing
  ) -> EncryptionProvider {
    EncryptionProvider { group in
      Encryption(
        cipher: ChaChaCipher(try await fetch(), group: group), hidesIDs: ids == .hidden, sealsStore: local,
        adoptsUnsealed: adoptingUnsealed)
    }
  }
}
