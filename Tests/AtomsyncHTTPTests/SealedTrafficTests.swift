import AtomsyncEncryption
import AtomsyncKit
import Foundation
import Logging
import Testing

@testable import AtomsyncHTTPServer

/// A thousand documents from one device to another over a real server, and what is left of their text on the way.
@Suite(.timeLimit(.minutes(2))) struct SealedTrafficTests {
  private static let word = "xylophone"

  @Test func noPlaintextIsInStoresTrafficOrLogs() async throws {
    let traffic = Recording()
    let lines = Lock<[String]>([])
    let (log, messages) = AsyncStream.makeStream(of: String.self)
    let logger = Logger(label: "sealed") { _ in CapturingLogHandler(messages: messages) }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let store = StorageProvider.sqlite(folder.appendingPathComponent("server.db").path)
    try await TestServer.run(storage: store) { server in
      let listener = Task { for await line in server.log { lines.withLock { $0.append(line) } } }
      defer { listener.cancel() }
      func device(_ name: String) async throws -> (AtomsyncClient, SyncedAtom<TransitValue>) {
        let client = try await AtomsyncClient.open(
          AtomsyncConfiguration(
            storage: .sqlite(folder.appendingPathComponent(name).path),
            codec: RecordingCodec(codec: .transitJSON, recording: traffic), logger: logger))
        let key = try EncryptionKey(bytes: [UInt8](repeating: 7, count: 32))
        let atom = try await client.atom(
          "diary", transport: .http(server.url), encryption: .key(key, ids: .hidden, local: true))
        return (client, atom)
      }
      let (first, one) = try await device("one.db")
      let (second, two) = try await device("two.db")
      for number in 0..<1000 {
        try one.swap { $0["\(Self.word)/\(number)"] = ["text": .string("\(Self.word) no. \(number)")] }
      }
      try await one.sync()
      try await two.sync()
      #expect(two.value == one.value && two.value.count == 1000)
      try await first.close()
      try await second.close()
    }
    var searched = 0
    for file in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      let data = try Data(contentsOf: folder.appendingPathComponent(file))
      searched += data.count
      #expect(data.range(of: Data(Self.word.utf8)) == nil, "\(file) has plaintext")
    }
    #expect(searched > 600_000)
    #expect(traffic.byteCount > 200_000 && !traffic.contains(Self.word))
    messages.finish()
    for await line in log { lines.withLock { $0.append(line) } }
    #expect(lines.withLock { lines in !lines.contains { $0.contains(Self.word) } })
  }
}

/// All that passes a codec, before it is compressed.
private final class Recording: Sendable {
  private let messages = Lock<[[UInt8]]>([])

  var byteCount: Int { messages.withLock { $0.reduce(0) { $0 + $1.count } } }
  func add(_ bytes: [UInt8]) { messages.withLock { $0.append(bytes) } }
  func contains(_ word: String) -> Bool {
    messages.withLock { $0.contains { Data($0).range(of: Data(word.utf8)) != nil } }
  }
}

private struct RecordingCodec: Codec {
  let codec: TransitCodec
  let recording: Recording

  var mediaType: String { codec.mediaType }

  func encode<Message: WireMessage>(_ message: Message) throws -> [UInt8] {
    let bytes = try codec.encode(message)
    recording.add(bytes)
    return bytes
  }

  func decode<Message: WireMessage>(_ type: Message.Type, from bytes: [UInt8]) throws -> Message {
    recording.add(bytes)
    return try codec.decode(type, from: bytes)
  }
}
