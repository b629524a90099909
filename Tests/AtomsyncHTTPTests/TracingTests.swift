import AtomsyncCore
import Foundation
import InMemoryTracing
import Testing
import Tracing

@testable import AtomsyncHTTPServer

@Suite(.timeLimit(.minutes(1))) struct TracingTests {
  /// The tracer is the process's, so spans of other tests are there as well: these are told by their trace.
  @Test func aRequestIsASpanOfItsTrace() async throws {
    let tracer = InMemoryTracer(recordInjections: false, recordExtractions: false)
    InstrumentationSystem.bootstrap(tracer)
    let trace = UUID().uuidString
    try await TestServer.run { server in
      // Past AsyncHTTPClient, which would send a trace of its own.
      for line in ["GET /sync?group=todo HTTP/1.1", "POST /sync HTTP/1.1\r\nContent-Length: 0"] {
        let request = """
          \(line)\r\nHost: localhost\r\nConnection: close\r\n\(InMemoryTracer.traceIDKey): \(trace)\r\n\
          \(InMemoryTracer.spanIDKey): caller\r\n\r\n
          """
        _ = try await RawConnection.answers(to: request, port: server.port)
      }
    }
    let spans = tracer.finishedSpans.filter { $0.traceID == trace }
    #expect(spans.map(\.operationName) == ["atomsync.pull", "atomsync.push"])
    #expect(spans.allSatisfy { $0.parentSpanID == "caller" && $0.kind == .server })
    #expect(
      spans.map { $0.attributes["http.response.status_code"]?.toSpanAttribute() } == [
        .int64(200), .int64(415),
      ])
  }
}
