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
    let nonces: SymmetricKey
    let pseudonyms: SymmetricKey

    init(_ key: EncryptionKey, group: String) {
      func derive(_ purpose: String, _ count: Int = 32) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
          inputKeyMaterial: key.secret, salt: Array(group.utf8), info: Array("atomsync/1/\(purpose)".utf8),
          outputByteCount: count)
      }
      id = derive("key id", 8).withUnsafeBytes { KeyID($0.reduce(0) { $0 << 8 | UInt64($1) }) }
      sealing = derive("sealing")
      nonces = derive("nonces")
      pseudonyms = derive("pseudonyms")
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
    var hmac = HMAC<SHA256>(key: writing.nonces)
    for part in [binding, salt] {
      hmac.update(data: withUnsafeBytes(of: UInt32(truncatingIfNeeded: part.count).bigEndian) { Array($0) })
      hmac.update(data: part)
    }
    hmac.update(data: plaintext)
    let nonce = Array(hmac.finalize().prefix(12))
    let box = try ChaChaPoly.seal(
      plaintext, using: writing.sealing, nonce: ChaChaPoly.Nonce(data: nonce), authenticating: binding)
    return SealedBytes(key: writing.id, nonce: nonce, ciphertext: Array(box.ciphertext + box.tag))
  }

  package func open(_ sealed: SealedBytes, binding: [UInt8]) throws(CipherError) -> [UInt8] {
    guard let keys = all[sealed.key] else { throw .unknownKey(sealed.key) }
    do {
      let box = try ChaChaPoly.SealedBox(
        nonce: ChaChaPoly.Nonce(data: sealed.nonce), ciphertext: sealed.ciphertext.dropLast(16),
        tag: sealed.ciphertext.suffix(16))
      return Array(try ChaChaPoly.open(box, using: keys.sealing, authenticating: binding))
    } catch {
      throw .damaged
    }
  }

  package func pseudonym(of text: String) -> String {
    let code = HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: ids.pseudonyms)
    // Base64 with the alphabet for URLs (RFC 4648, §5), without padding.
    let text = Data(code.prefix(16)).base64EncodedString().dropLast(2)
    return String(text).replacing("+", with: "-").replacing("/", with: "_")
  }
}
