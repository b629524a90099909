import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Testing

// The transport and the codec of the articles, which pass their kits: `DocumentationTests` compares them with this file.

struct SlowTransport: Transport {
  let base: any Transport
  let delay: Duration

  func pull(_ request: PullRequest, progress: @escaping @Sendable () -> Void) async throws -> PullPage {
    try await Task.sleep(for: delay)
    return try await base.pull(request, progress: progress)
  }

  func push(_ request: PushRequest, progress: @escaping @Sendable () -> Void) async throws -> PushAnswer {
    try await Task.sleep(for: delay)
    return try await base.push(request, progress: progress)
  }

  func live(
    _ request: LiveRequest, receive: @escaping @Sendable (LiveEvent) async throws -> Void
  ) async throws {
    try await base.live(request, receive: receive)
  }

  func close() async { await base.close() }
}

extension TransportProvider {
  static func slow(_ delay: Duration, over base: TransportProvider) -> TransportProvider {
    TransportProvider("\(base), slow") { codec in
      SlowTransport(base: try await base.open(codec: codec), delay: delay)
    }
  }
}

@Suite struct SlowTransportTests {
  @Test(arguments: TransportConformanceCase.all)
  func conforms(_ promise: TransportConformanceCase) async throws {
    try await promise.run { authority, use in
      try await use(.slow(.milliseconds(1), over: .loopback(authority)))
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
