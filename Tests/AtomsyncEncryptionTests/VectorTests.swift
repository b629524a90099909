import AtomsyncCore
import AtomsyncEngine
import Foundation
import Testing
import Transit

@testable import AtomsyncEncryption

/// What another program sealed (vectors.py), and what it must find in what is sealed here: the same bytes.
@Suite struct VectorTests {
  private struct Vectors: Decodable {
    struct Value: Decodable {
      var name, id, wireID: String
      var hidesID: Bool
      var madeOn: Int64
      var lineage: String
      var payload: Data
      var client: UUID
      var push: Int64
      var sealed: String
    }
    struct Passphrase: Decodable {
      var text: String
      var salt, key: Data
    }
    var key: Data
    var group, keyID: String
    var values: [Value]
    var passphrase: Passphrase
  }

  private let vectors: Vectors
  private let cipher: ChaChaCipher

  init() throws {
    vectors = try JSONDecoder.withBase64.decode(Vectors.self, from: Data(PackageResources.vectors_json))
    cipher = ChaChaCipher(KeyRing(writing: try EncryptionKey(bytes: vectors.key)), group: vectors.group)
  }

  private func edge(_ value: Vectors.Value) -> DocumentSealing {
    DocumentSealing(Encryption(cipher: cipher, hidesIDs: value.hidesID), group: vectors.group)
  }

  private func sealed(_ value: Vectors.Value) throws -> Payload {
    let parts: [TransitValue] = [
      .int(1), .string(cipher.keyID.description), .string(value.sealed),
    ]
    return Payload(bytes: try TransitValue.tagged("sealed", .array(parts)).transit(.msgpack))
  }

  @Test func theKeyHasItsName() { #expect(cipher.keyID.description == vectors.keyID) }

  @Test func whatAnotherProgramSealedOpens() throws {
    for value in vectors.values {
      let document = Document(
        id: value.wireID, version: value.madeOn + 1, updated: 0, content: .value(try sealed(value)))
      let item = try #require(try edge(value).item(document))
      #expect(item.id == value.id && item.value?.payload.bytes == Array(value.payload), "\(value.name)")
    }
  }

  @Test func whatIsSealedHereIsTheSame() throws {
    for value in vectors.values {
      let edit = Edit(
        id: value.id, version: value.madeOn, content: .value(Payload(bytes: Array(value.payload))))
      var push = OutgoingPush(
        request: PushRequest(
          group: vectors.group, ticket: PushTicket(client: value.client, number: value.push), edits: [edit]))
      push.lineages[value.id] = UInt64(value.lineage, radix: 16)
      let made = try edge(value).seal(push).request.edits
      let expected = Edit(id: value.wireID, version: value.madeOn, content: .value(try sealed(value)))
      #expect(made == [expected], "\(value.name)")
    }
  }

  @Test func aPassphraseMakesTheSameKey() throws {
    let key = try EncryptionKey(passphrase: vectors.passphrase.text, salt: Array(vectors.passphrase.salt))
    #expect(key.bytes == Array(vectors.passphrase.key))
    #expect(throws: EncryptionKeyError.shortSalt) { try EncryptionKey(passphrase: "x", salt: [1, 2, 3]) }
  }

  @Test func lengthsComeInSteps() {
    var last = 0
    for count in 0...70_000 {
      let length = Padding.length(of: count)
      #expect(length >= count && length >= last && length % 32 == 0)
      if count > 256 { #expect(Double(length) <= Double(count) * 1.12 + 32) }
      last = length
    }
    #expect(Padding.length(of: 1 << 20) == 1 << 20)
  }
}

extension JSONDecoder {
  fileprivate static var withBase64: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.dataDecodingStrategy = .base64
    return decoder
  }
}
