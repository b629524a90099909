import Atomsync
import AtomsyncCore
import Logging
import NIOCore
import Testing

@testable import AtomsyncHTTPServer

/// What a live stream writes, and how.
@Suite(.timeLimit(.minutes(1))) struct EventStreamTests {
  @Test(arguments: [0, 1, 65_000, 65_525, 65_530, 300_000]) func aFrameIsItsPieces(size: Int) {
    let text = String(repeating: "0123456789", count: size / 10 + 1).prefix(size)
    let frame = EventFrame { $0.writeString(String(text)) }
    let pieces = frame.pieces
    #expect(pieces.allSatisfy { $0.chunk.readableBytes <= 64 << 10 && ($0.isEmpty == frame.isEmpty) })
    #expect(pieces.map { String(buffer: $0.bytes) }.joined() == text)
    #expect(pieces.map { String(buffer: $0.chunk) }.joined() == String(buffer: frame.chunk))
  }

  /// A reader that takes a piece in almost the time after which one who takes nothing is cut off.
  private final class SlowReader: EventOutput {
    let text = Lock("")
    let stream = Lock<EventStream?>(nil)
    private let each: Duration

    init(each: Duration) { self.each = each }

    func write(_ frame: EventFrame) async throws {
      var elapsed = Duration.zero
      for _ in stride(from: 0, to: frame.bytes.readableBytes, by: 64 << 10) {
        elapsed += each
        stream.withLock { $0?.watch.look(.now + elapsed) }
      }
      text.withLock { $0 += String(buffer: frame.bytes) }
      if text.withLock({ $0.contains("event: page") && $0.hasSuffix("\n\n") }) {
        stream.withLock { $0 }?.watch.end(.shutdown)
      }
    }

    func breakOff() {}
  }

  @Test func whoReadsSlowlyIsNotTakenForOneWhoDoesNot() async throws {
    try await TestServer.run { server in
      let value = String(repeating: "x", count: 1 << 19)
      try await server.put("d", value)
      let endpoint = server.server.endpoint
      let reader = SlowReader(each: endpoint.configuration.stallTimeout * 9 / 10)
      let stream = EventStream(
        endpoint, LiveRequest(groups: [PullRequest(group: "todo")]), .anybody, log: Logger(label: "test"),
        place: StreamPlace(Quota(total: 1), ""), isCompressed: false)
      reader.stream.withLock { $0 = stream }
      try await stream.run(reader)
      #expect(reader.text.withLock { $0.contains(value) })
    }
  }
}
