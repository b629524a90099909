/// How an atom's documents are encrypted: by which keys, and what of them.
public struct Encryption: Sendable {
  /// Seals and opens.
  public var cipher: any Cipher
  /// The server is shown a pseudonym in place of each document's id.
  public var hidesIDs: Bool
  /// The store on this machine is sealed as well.
  public var sealsStore: Bool
  /// Values that were never sealed are taken, and sealed by and by.
  public var adoptsUnsealed: Bool

  /// Encryption with this cipher, of what leaves the device and, when asked, of more.
  public init(
    cipher: any Cipher, hidesIDs: Bool = false, sealsStore: Bool = false, adoptsUnsealed: Bool = false
  ) {
    self.cipher = cipher
    self.hidesIDs = hidesIDs
    self.sealsStore = sealsStore
    self.adoptsUnsealed = adoptsUnsealed
  }
}

/// An encryption whose keys are not fetched yet: what an atom is opened with.
///
/// The module AtomsyncEncryption adds the factories: `.key(key)`, `.keys(ring)`.
public struct EncryptionProvider: Sendable {
  private let body: @Sendable (String) async throws -> Encryption

  /// An encryption that `open` makes for a group.
  ///
  /// - Parameter open: fetches the keys, however long that takes, and makes the cipher of the group that it is given.
  public init(open: @escaping @Sendable (_ group: String) async throws -> Encryption) { body = open }

  /// Fetches the keys.
  ///
  /// - Throws: what keeps them from being fetched.
  public func open(group: String) async throws -> Encryption { try await body(group) }
}
