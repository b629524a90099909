import AtomsyncCore
import AtomsyncHTTPClient
import AtomsyncTesting
import Testing

/// HTTP against every promise of a transport.
@Suite struct TransportConformanceTests {
  @Test(arguments: TransportConformanceCase.all)
  func http(_ promise: TransportConformanceCase) async throws {
    try await promise.run { authority, use in
      try await TestServer.run(authority) { server in try await use(.http(server.url)) }
    }
  }
}
