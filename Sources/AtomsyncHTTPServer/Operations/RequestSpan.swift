internal import HTTPTypes
internal import Tracing

/// A request as a span of swift-distributed-tracing, in the trace that its headers name. (Docs/Server.md, “Traces”.)
enum RequestSpan {
  /// Where no tracer was bootstrapped there is no span: to make one for nobody takes 14 µs, an eighth of a push in memory.
  static func run(
    _ request: HTTPRequest, _ body: () async -> EndpointResponse
  ) async -> EndpointResponse {
    let instrument = InstrumentationSystem.instrument
    if instrument is NoOpInstrument { return await body() }
    return await trace(request, instrument, body)
  }

  private static func trace(
    _ request: HTTPRequest, _ instrument: any Instrument, _ body: () async -> EndpointResponse
  ) async -> EndpointResponse {
    var context = ServiceContext.current ?? .topLevel
    instrument.extract(request.headerFields, into: &context, using: FieldExtractor())
    // Only methods that there are: names of spans are few.
    let name = request.method == .post ? "atomsync.push" : "atomsync.pull"
    return await withSpan(name, context: context, ofKind: .server) { span in
      let response = await body()
      span.attributes["http.request.method"] = request.method.rawValue
      span.attributes["http.response.status_code"] = Int64(response.status.code)
      if response.status.code >= 500 { span.setStatus(SpanStatus(code: .error)) }
      return response
    }
  }

  private struct FieldExtractor: Extractor {
    func extract(key: String, from fields: HTTPFields) -> String? {
      HTTPField.Name(key).flatMap { fields[$0] }
    }
  }
}
