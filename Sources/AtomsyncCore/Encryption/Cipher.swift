/// Seals and opens bytes with the keys of one atom: the seam between the engine and cryptography.
///
/// The engine says what is sealed and what it is bound to; a cipher knows keys, and nothing of documents.
public protocol Cipher: Sendable {
  /// Names the key that seals. Tells nothing of the key itself.
  var keyID: KeyID { get }

  /// The names of all keys that open.
  var keyIDs: Set<KeyID> { get }

  /// The names of those whose time is over: what they have sealed is to be sealed anew.
  var outdatedKeyIDs: Set<KeyID> { get }

  /// Names the key of ``pseudonym(of:)``, which has to stay when the sealing key is changed.
  var pseudonymKeyID: KeyID { get }

  /// Seals bytes, by the key that is called ``keyID``.
  ///
  /// The same arguments give the same result, so that a message that is sent again is the same message.
  ///
  /// - Parameters:
  ///   - plaintext: what is to be hidden.
  ///   - binding: what the result is for. It is not in the result, and has to be known to open it.
  ///   - salt: makes equal plaintexts differ.
  func seal(_ plaintext: [UInt8], binding: [UInt8], salt: [UInt8]) throws -> SealedBytes

  /// Opens what ``seal(_:binding:salt:)`` made.
  ///
  /// - Throws: ``CipherError``.
  func open(_ sealed: SealedBytes, binding: [UInt8]) throws(CipherError) -> [UInt8]

  /// A text that always stands for this one, and from which nobody without the key can tell it: 22 characters.
  func pseudonym(of text: String) -> String

  /// The same by a secret instead of a key.
  func pseudonym(of text: String, secret: [UInt8]) -> String
}

/// Names a key without telling anything of it.
public struct KeyID: Sendable, Hashable, CustomStringConvertible {
  /// Eight bytes, the first of them the most significant.
  public let number: UInt64

  /// The id of these bytes, the first of them the most significant.
  public init(_ number: UInt64) { self.number = number }

  /// The id of eight bytes; `nil` for more or fewer.
  public init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 8 else { return nil }
    number = bytes.reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The id of a ``description``; `nil` for any other text.
  public init?(_ description: String) {
    guard description.utf8.count == 16, let number = UInt64(description, radix: 16) else { return nil }
    self.number = number
  }

  /// The eight bytes.
  public var bytes: [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }

  /// Sixteen hexadecimal digits.
  public var description: String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// What a cipher makes of bytes.
public struct SealedBytes: Sendable, Hashable {
  /// The key that sealed them.
  public var key: KeyID
  /// The nonce, which no other plaintext of the key has, the encrypted bytes, and their authentication tag.
  public var bytes: [UInt8]

  /// Something that the key `key` has sealed.
  public init(key: KeyID, bytes: [UInt8]) {
    self.key = key
    self.bytes = bytes
  }
}

/// Why something cannot be opened.
public enum CipherError: Error, Sendable, Hashable {
  /// None of the keys is the one that sealed it.
  case unknownKey(KeyID)
  /// It was changed, or sealed for another place.
  case damaged
}
