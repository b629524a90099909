internal import Crypto
internal import Foundation
internal import _CryptoExtras

/// A key of 32 bytes, from which everything else is derived that an atom is encrypted with.
///
/// Who has it can read and write all documents; who has lost it has lost them. It shows itself nowhere: not when it is
/// printed, not in errors, logs or dumps of memory that Swift makes.
public struct EncryptionKey: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
  /// The length of a key in bytes.
  public static let byteCount = 32

  let secret: SymmetricKey

  /// A new key of the system's random bytes.
  public init() { secret = SymmetricKey(size: .bits256) }

  /// A key that was kept somewhere.
  ///
  /// - Throws: ``EncryptionKeyError`` unless there are ``byteCount`` bytes.
  public init(bytes: some Collection<UInt8>) throws {
    guard bytes.count == Self.byteCount else { throw EncryptionKeyError.wrongLength(bytes.count) }
    secret = SymmetricKey(data: Array(bytes))
  }

  /// A key as text: ``base64``, or 64 hexadecimal digits. White space around it does not matter.
  ///
  /// - Throws: ``EncryptionKeyError``.
  public init(text: String) throws {
    let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
    if text.utf8.count == 2 * Self.byteCount, let bytes = Self.hexadecimal(text) {
      try self.init(bytes: bytes)
    } else if let data = Data(base64Encoded: text) {
      try self.init(bytes: data)
    } else {
      throw EncryptionKeyError.notText
    }
  }

  private static func hexadecimal(_ text: String) -> [UInt8]? {
    let digits = text.compactMap(\.hexDigitValue)
    guard digits.count == 2 * byteCount else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  /// The key of a passphrase, by scrypt (RFC 7914) with N = 2^17, r = 8, p = 1: 128 MiB of memory and some tenths of a second.
  ///
  /// A key is as good as its passphrase: use one that nobody guesses, such as six words drawn by dice.
  ///
  /// - Parameters:
  ///   - passphrase: is brought into composed form (NFC) first, so that all keyboards type the same.
  ///   - salt: at least 8 bytes that belong to the person or the group, and are kept with them. They are no secret.
  /// - Throws: ``EncryptionKeyError``.
  public init(passphrase: String, salt: [UInt8]) throws {
    let text = passphrase.precomposedStringWithCanonicalMapping
    if text.isEmpty { throw EncryptionKeyError.emptyPassphrase }
    if salt.count < 8 { throw EncryptionKeyError.shortSalt }
    secret = try KDF.Scrypt.deriveKey(
      from: Array(text.utf8), salt: salt, outputByteCount: Self.byteCount, rounds: 1 << 17, blockSize: 8,
      parallelism: 1)
  }

  /// The key itself, to be kept where secrets are kept.
  public var bytes: [UInt8] { secret.withUnsafeBytes { Array($0) } }

  /// The key itself as text of 44 characters, to be kept where secrets are kept.
  public var base64: String { Data(bytes).base64EncodedString() }

  /// Says that this is a key, and nothing of it.
  public var description: String { "an encryption key" }

  /// Shows nothing.
  public var customMirror: Mirror { Mirror(self, children: []) }

  /// Whether both are the same key; takes as long for one as for another.
  public static func == (left: EncryptionKey, right: EncryptionKey) -> Bool { left.secret == right.secret }

  /// Feeds a digest of the key.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(Array(HMAC<SHA256>.authenticationCode(for: Array("hash".utf8), using: secret)))
  }
}

/// What is wrong with what was to be a key. Says nothing of the key.
public enum EncryptionKeyError: Error, Sendable, Hashable, CustomStringConvertible {
  /// There are so many bytes, and a key has another number of them.
  case wrongLength(Int)
  /// The text is neither base64 nor hexadecimal.
  case notText
  /// There is no passphrase.
  case emptyPassphrase
  /// The salt has fewer than eight bytes.
  case shortSalt
  /// There is no key.
  case noKey

  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .wrongLength(let count):
      "A key has \(EncryptionKey.byteCount) bytes, and this has \(count). `openssl rand -base64 32` makes one."
    case .notText:
      "A key is 44 characters of base64 or 64 hexadecimal digits. `openssl rand -base64 32` makes one."
    case .emptyPassphrase: "The passphrase is empty."
    case .shortSalt: "The salt has fewer than 8 bytes."
    case .noKey: "There is no key. `openssl rand -base64 32` makes one."
    }
  }
}
