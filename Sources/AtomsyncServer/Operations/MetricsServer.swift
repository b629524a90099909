internal import AtomsyncPrometheus
internal import CoreMetrics
internal import Hummingbird
internal import Logging
internal import ServiceLifecycle

/// Serves `/metrics`, on a port of its own: what it tells is for those who run the server.
struct MetricsServer: Service {
  let address: MetricsAddress
  let registry: PrometheusRegistry
  /// How much the store's files take.
  let storeBytes: @Sendable () -> Int64
  let logger: Logger

  func run() async throws {
    var quiet = logger
    quiet.logLevel = max(quiet.logLevel, .warning)
    let router = Router()
    let size = Meter(label: "atomsync_store_bytes", factory: registry)
    router.get("/metrics") { [registry, storeBytes] _, _ in
      size.set(storeBytes())
      return Response(
        status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: registry.text())))
    }
    let application = Application(
      router: router,
      configuration: ApplicationConfiguration(
        address: .hostname(address.host, port: address.port), serverName: nil),
      logger: quiet)
    try await application.run()
  }
}
