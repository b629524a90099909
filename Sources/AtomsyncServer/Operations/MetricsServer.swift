internal import AtomsyncHTTPServer
internal import AtomsyncPrometheus
internal import CoreMetrics
internal import HTTPTypes
internal import NIOCore
internal import ServiceLifecycle

/// Serves `/metrics`, on a port of its own: what it tells is for those who run the server.
struct MetricsServer: Service {
  let address: MetricsAddress
  let registry: PrometheusRegistry
  /// How much the store's files take.
  let storeBytes: @Sendable () -> Int64?

  func run() async throws {
    let size = Meter(label: "atomsync_store_bytes", factory: registry)
    let listener = HTTPListener(host: address.host, port: address.port) { [registry, storeBytes] request in
      guard request.isFor("/metrics") else { return EndpointResponse(.notFound) }
      guard request.head.method == .get else { return EndpointResponse(.methodNotAllowed, [.allow: "GET"]) }
      if let bytes = storeBytes() { size.set(bytes) }
      return EndpointResponse(
        .ok, [.contentType: "text/plain; version=0.0.4; charset=utf-8"], ByteBuffer(string: registry.text()))
    }
    try await listener.run()
  }
}
