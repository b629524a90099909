package import AtomsyncCore
internal import Crypto
internal import Foundation

/// ChaCha20-Poly1305 (RFC 8439) by keys that are derived from master keys for one group. (Docs/Protocol.md §12.)
///
/// The nonce is computed from everything that goes in, so no two plaintexts of a key share one by a clock or a counter
/// that was put back: after 2^32 of them the chance that any two do is below 2^-32.
package struct ChaChaCipher: Cipher {
  /// What is derived from a master key for one group.
  private struct Keys {
    let id: KeyID
    let sealing: SymmetricKey
    /// Codes that are begun by their keys.
    let nonces: HMAC<SHA256>
    let pseudonyms: HMAC<SHA256>

    init(_ key: EncryptionKey, group: String) {
      func derive(_ purpose: String, _ count: Int = 32) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
          inputKeyMaterial: key.secret, salt: Array(group.utf8), info: Array("atomsync/1/\(purpose)".utf8),
          outputByteCount: count)
      }
      id = derive("key id", 8).withUnsafeBytes { KeyID($0.reduce(0) { $0 << 8 | UInt64($1) }) }
      sealing = derive("sealing")
      nonces = HMAC(key: derive("nonces"))
      pseudonyms = HMAC(key: derive("pseudonyms"))
    }
  }

  private let writing: Keys
  private let ids: Keys
  private let all: [KeyID: Keys]
  package let outdatedKeyIDs: Set<KeyID>

  package init(_ ring: KeyRing, group: String) {
    writing = Keys(ring.writing, group: group)
    ids = Keys(ring.ids, group: group)
    let older = ring.reading.map { Keys($0, group: group) }
    let upcoming = ring.upcoming.map { Keys($0, group: group) }
    all = Dictionary((older + upcoming + [ids, writing]).map { ($0.id, $0) }) { $1 }
    outdatedKeyIDs = Set(all.keys).subtracting((upcoming + [writing]).map(\.id))
  }

  package var keyID: KeyID { writing.id }
  package var keyIDs: Set<KeyID> { Set(all.keys) }
  package var pseudonymKeyID: KeyID { ids.id }

  package func seal(_ plaintext: [UInt8], binding: [UInt8], salt: [UInt8]) throws -> SealedBytes {
    var hmac = writing.nonces
    for part in [binding, salt] {
      hmac.update(data: withUnsafeBytes(of: UInt32(truncatingIfNeeded: part.count).bigEndian) { Array($0) })
      hmac.update(data: part)
    }
    hmac.update(data: plaintext)
    let nonce = try ChaChaPoly.Nonce(data: Array(hmac.finalize()).prefix(12))
    let box = try ChaChaPoly.seal(plaintext, using: writing.sealing, nonce: nonce, authenticating: binding)
    return SealedBytes(key: writing.id, bytes: Array(box.combined))
  }

  package func open(_ sealed: SealedBytes, binding: [UInt8]) throws(CipherError) -> [UInt8] {
    guard let keys = all[sealed.key] else { throw .unknownKey(sealed.key) }
    do {
      let box = try ChaChaPoly.SealedBox(combined: sealed.bytes)
      return Array(try ChaChaPoly.open(box, using: keys.sealing, authenticating: binding))
    } catch {
      throw .damaged
    }
  }

  package func pseudonym(of text: String) -> String {
    Self.pseudonym(of: text, ids.pseudonyms)
  }

  package func pseudonym(of text: String, secret: [UInt8]) -> String {
    Self.pseudonym(of: text, HMAC(key: SymmetricKey(data: secret)))
  }

  private static func pseudonym(of text: String, _ code: HMAC<SHA256>) -> String {
    var hmac = code
    hmac.update(data: Array(text.utf8))
    return base64(Array(hmac.finalize()).prefix(16))
  }

  /// Sixteen bytes in base64 with the alphabet for URLs (RFC 4648, §5), without padding: 22 characters.
  private static func base64(_ bytes: some Collection<UInt8>) -> String {
    let number = bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
    let table = Self.alphabet.utf8Start
    return String(unsafeUninitializedCapacity: 22) { target in
      for index in 0..<21 {
        target[index] = table[Int(truncatingIfNeeded: number >> UInt128(122 - 6 * index)) & 63]
      }
      target[21] = table[Int(truncatingIfNeeded: number & 3) << 4]
      return 22
    }
  }

  private static let alphabet: StaticString =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
}

/// Nothing of a key is shown, wherever a cipher is printed or dumped.
extension ChaChaCipher: CustomStringConvertible, CustomReflectable {
  package var description: String { "a cipher that seals by the key \(keyID)" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
