import AtomsyncEncryption
import AtomsyncKit
import Testing

/// What the README and Encryption.md show.
@Suite struct EncryptionArticle {
  @Test func itsAtomsAreSealed() async throws {
    let client = try await AtomsyncClient.open(AtomsyncConfiguration())
    let authority = try await Authority.open(AtomsyncConfiguration())
    let server = TransportProvider.loopback(authority)
    do {
      let key = EncryptionKey()  // keep `key.base64` where secrets are kept; every device needs it
      let diary = try await client.atom("diary", transport: server, encryption: .key(key))
      try diary.swap { $0["monday"] = "Rain. Read all day." }
      try await diary.sync()
      await diary.close()
      let secret = key.base64
      do {
        let key = try EncryptionKey(text: secret)
        let diary = try await client.atom("diary", transport: server, encryption: .key(key))
        #expect(diary.value["monday"] == "Rain. Read all day.")
      }
    }
    let page = try await authority.pull(PullRequest(group: "diary"))
    #expect(page.documents.count == 1 && !"\(page)".contains("Rain"))
    try await client.close()
    await authority.close()
  }

  @Test func itsKeysAreMade() async throws {
    let client = try await AtomsyncClient.open(AtomsyncConfiguration())
    let (old, new) = (EncryptionKey(), EncryptionKey())
    let (keychainItem, words) = (old.base64, "six words drawn by dice")
    @Sendable func fetchKey() async throws -> EncryptionKey { old }
    let stored = try EncryptionKey(text: keychainItem)
    let typed = try EncryptionKey(passphrase: words, salt: Array("ann@example.org".utf8))
    let diary = try await client.atom("diary", encryption: .keys { KeyRing(writing: try await fetchKey()) })
    #expect(stored == old && typed != old && diary.value.isEmpty)
    await diary.close()
    let preparing = EncryptionProvider.keys(KeyRing(writing: old, upcoming: [new]))  // 1. on every device
    let changing = EncryptionProvider.keys(KeyRing(writing: new, reading: [old], ids: old))  // 2. then
    for encryption in [preparing, changing] {
      await (try client.atom("diary", encryption: encryption)).close()
    }
    try await client.close()
  }

  private func readme(_ atomsync: AtomsyncClient, _ url: String, _ key: EncryptionKey) async throws {
    let diary = try await atomsync.atom("diary", server: url, encryption: .key(key))
    await diary.close()
  }
}
