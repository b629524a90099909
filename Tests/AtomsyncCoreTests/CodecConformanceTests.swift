import AtomsyncCore
import AtomsyncTesting
import Testing
import Transit

/// Every codec of this package against every promise, and every promise against a codec that breaks it.
@Suite struct CodecConformanceTests {
  @Test(arguments: CodecConformanceCase.all, WireMessageTests.codecs)
  func conforms(_ promise: CodecConformanceCase, _ codec: TransitCodec) async throws {
    try await promise.run(codec)
  }

  static let flaws: [String: FlawedCodec.Flaw] = [
    "the media type is one": .mediaType,
    "every message comes back as it was": .dropsDocuments,
    "every value keeps its type": .valuesAsText,
    "a value of the greatest depth passes": .shallow,
    "a message of megabytes passes": .small,
    "another message is not taken for the one that was asked for": .guesses,
    "a message that was cut short is an error": .mends,
    "bytes behind a message are an error": .ignoresRest,
    "any bytes are an answer or an error": .otherErrors,
    "many tasks may use it at once": .sharedBuffer,
  ]

  @Test(arguments: CodecConformanceCase.all)
  func aFlawIsFound(_ promise: CodecConformanceCase) async throws {
    let codec = FlawedCodec(try #require(Self.flaws[promise.name]))
    await #expect(throws: (any Error).self) { try await promise.run(codec) }
  }
}

/// Transit-JSON with one flaw.
final class FlawedCodec: Codec {
  enum Flaw {
    case mediaType, dropsDocuments, valuesAsText, shallow, small, guesses, mends, ignoresRest, otherErrors
    case sharedBuffer
  }
  struct Other: Error {}

  private let flaw: Flaw
  private let base = TransitCodec.transitJSON
  private let buffer = Lock<[UInt8]>([])

  init(_ flaw: Flaw) { self.flaw = flaw }

  var mediaType: String { flaw == .mediaType ? "transit" : base.mediaType }

  func encode<Message: WireMessage>(_ message: Message) throws -> [UInt8] {
    var bytes = try base.encode(message)
    if var page = message as? PullPage {
      if flaw == .dropsDocuments { page.documents = page.documents.filter { $0.content != .deleted } }
      if flaw == .valuesAsText {
        for index in page.documents.indices {
          guard let payload = page.documents[index].content.payload else { continue }
          let text = try TransitValue(transit: payload.bytes, format: .msgpack).description
          page.documents[index].content = .value(
            Payload(bytes: try TransitValue.string(text).transit(.msgpack)))
        }
      }
      bytes = try base.encode(page)
    }
    if flaw == .small && bytes.count > 100_000 { throw Other() }
    buffer.withLock { $0 = bytes }
    return bytes
  }

  func decode<Message: WireMessage>(_ type: Message.Type, from bytes: [UInt8]) throws -> Message {
    var bytes = bytes
    switch flaw {
    case .shallow where bytes.count(where: { $0 == UInt8(ascii: "[") }) > 100: throw Other()
    case .sharedBuffer: bytes = buffer.withLock { $0 }
    case .ignoresRest:
      let end = (1...bytes.count).first { (try? base.decode(type, from: Array(bytes[..<$0]))) != nil }
      bytes = Array(bytes[..<(end ?? bytes.count)])
    case .guesses where type == PushAnswer.self:
      if let answer = PushAnswer(group: "g", accepted: [], rejected: [], now: 0) as? Message { return answer }
    case .mends where type == PullPage.self:
      if let page = PullPage(group: "g", documents: [], cursor: Cursor(""), hasMore: false, now: 0)
        as? Message
      {
        return (try? base.decode(type, from: bytes)) ?? page
      }
    case .otherErrors:
      do { return try base.decode(type, from: bytes) } catch { throw Other() }
    default: break
    }
    return try base.decode(type, from: bytes)
  }
}
