import AtomsyncCore
import Testing

@testable import AtomsyncHTTPServer

@Suite struct NegotiationTests {
  private let negotiation = Negotiation()

  @Test(
    arguments: [
      (nil, "json"),
      ("", "json"),
      ("*/*", "json"),
      ("application/*", "json"),
      ("application/transit+json", "json"),
      ("APPLICATION/Transit+JSON", "json"),
      ("application/transit+json; charset=utf-8", "json"),
      ("application/transit+json; verbose=false", "json"),
      ("application/transit+json;verbose=true", "verbose"),
      ("application/transit+json; verbose=\"true\"", "verbose"),
      ("application/transit+msgpack", "msgpack"),
      ("application/transit+json;q=0.5, application/transit+msgpack", "msgpack"),
      ("application/transit+json, application/transit+msgpack", "json"),
      ("application/transit+msgpack, application/transit+json", "msgpack"),
      ("application/transit+json;q=0, */*", "msgpack"),
      ("text/html, */*;q=0.1", "json"),
      ("application/transit+msgpack;q=0.1, */*;q=0.2", "json"),
      ("text/event-stream", "none"),
      ("text/html", "none"),
      ("application/json", "none"),
      ("*/*;q=0", "none"),
      ("nonsense", "json"),
    ] as [(String?, String)]) func answers(accept: String?, expected: String)
  {
    #expect(name(negotiation.answer(accept: accept)) == expected)
  }

  @Test(arguments: [
    ("text/event-stream", "stream"),
    ("text/event-stream, */*", "stream"),
    ("*/*", "json"),
    ("text/*", "none"),
    ("application/transit+json, text/event-stream", "json"),
    ("application/transit+json;q=0.9, text/event-stream", "stream"),
    ("text/event-stream;q=0", "none"),
  ]) func answersLive(accept: String, expected: String) {
    #expect(name(negotiation.answer(accept: accept, allowsEventStream: true)) == expected)
  }

  @Test func withoutPreferenceTheAnswerIsLikeTheQuestion() {
    #expect(name(negotiation.answer(accept: "*/*", like: .transitMsgPack)) == "msgpack")
    #expect(name(negotiation.answer(accept: nil, like: .transitMsgPack)) == "msgpack")
    #expect(name(negotiation.answer(accept: "application/transit+json", like: .transitMsgPack)) == "json")
  }

  @Test(
    arguments: [
      (nil, "application/transit+json"),
      ("application/transit+json; charset=UTF-8", "application/transit+json"),
      ("application/transit+json;verbose=true", "application/transit+json; verbose=true"),
      ("application/transit+msgpack", "application/transit+msgpack"),
      ("application/json", nil),
      ("application/transit+json; charset=latin1", nil),
      ("*/*", nil),
      ("", nil),
    ] as [(String?, String?)]) func reads(contentType: String?, expected: String?)
  {
    #expect(negotiation.reader(contentType: contentType)?.mediaType == expected)
  }

  private func name(_ answer: Negotiation.Answer?) -> String {
    switch answer {
    case nil: "none"
    case .eventStream: "stream"
    case .codec(let codec):
      switch codec.mediaType {
      case "application/transit+json": "json"
      case "application/transit+msgpack": "msgpack"
      default: "verbose"
      }
    }
  }
}
