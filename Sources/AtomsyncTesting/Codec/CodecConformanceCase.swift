public import AtomsyncCore
internal import Foundation
internal import Transit

/// One promise of `Codec`, as something that can be run.
///
/// The kit knows no test framework: a broken promise is a thrown ``ConformanceFailure``. With Swift Testing:
/// ```swift
/// @Test(arguments: CodecConformanceCase.all)
/// func conforms(_ promise: CodecConformanceCase) async throws {
///   try await promise.run(MyCodec())
/// }
/// ```
public struct CodecConformanceCase: Sendable, CustomStringConvertible {
  /// What is promised.
  public let name: String
  /// The name.
  public var description: String { name }
  private let body: @Sendable (CodecTrial) async throws -> Void

  init(_ name: String, _ body: @escaping @Sendable (CodecTrial) async throws -> Void) {
    self.name = name
    self.body = body
  }

  /// Tries the promise.
  ///
  /// - Throws: ``ConformanceFailure``, or what the codec threw.
  public func run(_ codec: any Codec) async throws {
    try await body(CodecTrial(expectations: Expectations(name: name), codec: codec))
  }

  /// Every promise. New ones may come with minor versions.
  public static let all: [CodecConformanceCase] = [
    CodecConformanceCase("the media type is one") { trial in
      let type = trial.codec.mediaType.prefix { $0 != ";" }
      let parts = type.split(separator: "/", omittingEmptySubsequences: false)
      let isToken = parts.allSatisfy { part in
        !part.isEmpty && part.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ",") }
      }
      try trial.expectations.expect(parts.count == 2 && isToken, "“\(trial.codec.mediaType)”")
    },
    CodecConformanceCase("every message comes back as it was") { trial in
      for page in try Samples.pages() { try trial.roundTrip(page) }
      for push in try Samples.pushes() { try trial.roundTrip(push) }
      for answer in try Samples.answers() { try trial.roundTrip(answer) }
      try trial.roundTrip(ProtocolError(.tooLarge, "Zu groß.", limit: 8, offset: .max))
    },
    CodecConformanceCase("every value keeps its type") { trial in
      for value in try Samples.values() {
        let page = try Samples.page([("a", value)])
        let found = try trial.passed(page).documents.first?.content.payload
        let read = try found.map { try TransitValue(transit: $0.bytes, format: .msgpack) }
        // Written out, because numbers of several types can be equal.
        try trial.expectations.expect(read?.description, is: value.description, "a value")
      }
    },
    CodecConformanceCase("a value of the greatest depth passes") { trial in
      // A push has a map, a list and another map around a value.
      let depth = TransitLimits.standard.depth - 3
      let value = (0..<depth).reduce(TransitValue.int(1)) { value, _ in .array([value]) }
      try trial.roundTrip(try Samples.page([("a", value)]))
    },
    CodecConformanceCase("a message of megabytes passes") { trial in
      let values = (0..<2000).map { ("\($0)", TransitValue.string(String(repeating: "é\($0)", count: 200))) }
      try trial.roundTrip(try Samples.page(values))
    },
    CodecConformanceCase("another message is not taken for the one that was asked for") { trial in
      let page = try trial.codec.encode(try Samples.page([("a", .int(1))]))
      try await trial.refuses("a page as an answer") { try $0.decode(PushAnswer.self, from: page) }
      try await trial.refuses("a page as an error") { try $0.decode(ProtocolError.self, from: page) }
    },
    CodecConformanceCase("a message that was cut short is an error") { trial in
      let whole = try trial.codec.encode(try Samples.page([("a", .string("milk")), ("b", .int(2))]))
      for length in whole.indices {
        try await trial.refuses("the first \(length) of \(whole.count) bytes") {
          try $0.decode(PullPage.self, from: Array(whole[..<length]))
        }
      }
    },
    CodecConformanceCase("bytes behind a message are an error") { trial in
      let whole = try trial.codec.encode(try Samples.page([("a", .int(1))]))
      try await trial.refuses("a message twice") { try $0.decode(PullPage.self, from: whole + whole) }
      try await trial.refuses("a zero behind it") { try $0.decode(PullPage.self, from: whole + [0]) }
    },
    CodecConformanceCase("any bytes are an answer or an error") { trial in
      var random = SeededRandom(seed: 1)
      let whole = try trial.codec.encode(try Samples.page([("a", .string("milk")), ("b", .int(2))]))
      for _ in 0..<2000 {
        var bytes = whole
        for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
        do { _ = try trial.codec.decode(PullPage.self, from: bytes) } catch { try trial.expectKnown(error) }
      }
    },
    CodecConformanceCase("many tasks may use it at once") { trial in
      try await withThrowingTaskGroup { group in
        for number in 0..<8 {
          group.addTask {
            for round in 0..<50 {
              let page = try Samples.page([("\(number)", .int(Int64(round)))])
              let bytes = try trial.codec.encode(page)
              await Task.yield()
              try trial.expectations.expect(
                try trial.codec.decode(PullPage.self, from: bytes), is: page, "a page")
            }
          }
        }
        try await group.waitForAll()
      }
    },
  ]
}

/// One run of a case.
struct CodecTrial: Sendable {
  let expectations: Expectations
  let codec: any Codec

  func passed<Message: WireMessage>(_ message: Message) throws -> Message {
    try codec.decode(Message.self, from: try codec.encode(message))
  }

  func roundTrip<Message: WireMessage & Equatable>(_ message: Message) throws {
    try expectations.expect(try passed(message), is: message, "\(Message.self)")
  }

  /// Expects an error, and that it is one of those that a codec may throw.
  func refuses<Message>(
    _ what: String, _ body: (any Codec) throws -> Message
  ) async throws {
    do { _ = try body(codec) } catch { return try expectKnown(error) }
    throw expectations.fail("\(what) was taken for a \(Message.self)")
  }

  func expectKnown(_ error: any Error) throws {
    try expectations.expect(
      error is TransitError || error is MessageError,
      "\(type(of: error)) was thrown, not a TransitError or a MessageError: \(error)")
  }
}
