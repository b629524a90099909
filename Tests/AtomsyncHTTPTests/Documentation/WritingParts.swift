import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Logging
import Testing

// The transport and the codec of the articles, which pass their kits: `DocumentationTests` compares them with this file.

/// Tells a logger of each call.
struct LoggingTransport: Transport {
  let base: any Transport
  let logger: Logger

  func pull(_ request: PullRequest, progress: @escaping @Sendable () -> Void) async throws -> PullPage {
    try await logging("pull of \(request.group)") { try await base.pull(request, progress: progress) }
  }

  func push(_ request: PushRequest, progress: @escaping @Sendable () -> Void) async throws -> PushAnswer {
    try await logging("push to \(request.group)") { try await base.push(request, progress: progress) }
  }

  func live(
    _ request: LiveRequest, receive: @escaping @Sendable (LiveEvent) async throws -> Void
  ) async throws {
    try await logging("stream") { try await base.live(request, receive: receive) }
  }

  func close() async { await base.close() }

  private func logging<Answer: Sendable>(
    _ call: String, _ body: @Sendable () async throws -> Answer
  ) async throws -> Answer {
    do {
      let answer = try await body()
      logger.debug("\(call): done")
      return answer
    } catch {
      logger.debug("\(call): \(error)")
      throw error
    }
  }
}

extension TransportProvider {
  static func logging(to logger: Logger, over base: TransportProvider) -> TransportProvider {
    TransportProvider("\(base), logged") { codec in
      LoggingTransport(base: try await base.open(codec: codec), logger: logger)
    }
  }
}

@Suite struct LoggingTransportTests {
  @Test(arguments: TransportConformanceCase.all)
  func conforms(_ promise: TransportConformanceCase) async throws {
    try await promise.run { authority, use in
      try await use(.logging(to: Logger(label: "test"), over: .loopback(authority)))
    }
  }
}

struct CheckedCodec: Codec {
  let base: any Codec

  var mediaType: String { "application/x-checked" }

  func encode<Message: WireMessage>(_ message: Message) throws -> [UInt8] {
    let bytes = try base.encode(message)
    return bytes + checksum(bytes)
  }

  func decode<Message: WireMessage>(_ type: Message.Type, from bytes: [UInt8]) throws -> Message {
    let content = Array(bytes.dropLast(4))
    guard bytes.count >= 4, bytes.suffix(4) == checksum(content)[...] else {
      throw MessageError("The message has changed on its way.")
    }
    return try base.decode(type, from: content)
  }

  /// FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/
  private func checksum(_ bytes: [UInt8]) -> [UInt8] {
    let sum = bytes.reduce(2_166_136_261 as UInt32) { ($0 ^ UInt32($1)) &* 16_777_619 }
    return (0..<4).map { UInt8(truncatingIfNeeded: sum >> (8 * $0)) }
  }
}

@Suite struct CheckedCodecTests {
  @Test(arguments: CodecConformanceCase.all)
  func conforms(_ promise: CodecConformanceCase) async throws {
    try await promise.run(CheckedCodec(base: .transitMsgPack))
  }
}
