import Atomsync
import AtomsyncCore
import AtomsyncEncryption
import AtomsyncTesting
import Transit

/// Keys that are the same in each run.
enum Keys {
  static func key(_ number: UInt8) -> EncryptionKey {
    guard let key = try? EncryptionKey(bytes: [UInt8](repeating: number, count: 32)) else {
      return EncryptionKey()
    }
    return key
  }

  static let one = key(1)
  static let two = key(2)
}

extension TestSync {
  /// Writes as somebody does who has no key: into the document as it is at the server.
  func write(_ payload: Payload, as id: String, in group: String) async throws {
    let current = try await page(group).documents.first { $0.id == id }
    let answer = try await authority.push(
      PushRequest(
        group: group, edits: [Edit(id: id, version: current?.version ?? 0, content: .value(payload))]))
    guard answer.rejected.isEmpty else { throw SyncError(.unsettled, "\(answer.rejected)") }
  }

  func page(_ group: String) async throws -> PullPage {
    try await authority.pull(PullRequest(group: group, limit: 10_000))
  }

  /// The bytes that the server has of a document.
  func payload(_ id: String, in group: String) async throws -> Payload? {
    try await page(group).documents.first { $0.id == id }?.content.payload
  }
}

extension SyncedAtom {
  /// What is there, whether it can be shown or not, by the reasons why not.
  var unopened: [String: UnopenedDocument.Reason] {
    value.undecodable.reduce(into: [:]) { reasons, entry in
      if let error = entry.error as? UnopenedDocument { reasons[entry.id] = error.reason }
    }
  }
}

extension Payload {
  init(_ value: TransitValue) throws { self.init(bytes: try value.transit(.msgpack)) }

  var value: TransitValue? { try? TransitValue(transit: bytes, format: .msgpack) }

  /// The name of the key that a sealed value bears.
  var keyID: KeyID? {
    guard case .tagged(let tagged) = value, tagged.tag == "sealed", case .array(let parts) = tagged.rep,
      case .string(let key)? = parts.dropFirst().first
    else { return nil }
    return KeyID(key)
  }

  /// The same with one digit of a part changed: 1 the key's name, 2 what is sealed.
  func damaged(part: Int, at index: Int = 0) throws -> Payload {
    guard case .tagged(let tagged) = value, case .array(var parts) = tagged.rep,
      case .string(let text) = parts[part]
    else { return self }
    var digits = Array(text.utf8)
    digits[index] = digits[index] == UInt8(ascii: "1") ? UInt8(ascii: "2") : UInt8(ascii: "1")
    parts[part] = .string(String(decoding: digits, as: UTF8.self))
    return try Payload(.tagged(tagged.tag, .array(parts)))
  }
}
