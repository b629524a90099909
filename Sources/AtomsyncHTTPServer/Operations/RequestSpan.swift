internal import HTTPTypes
internal import Hummingbird
internal import Tracing

/// A request as a span of swift-distributed-tracing, in the trace that its headers name. (Docs/Server.md, “Traces”.)
enum RequestSpan {
  /// Costs next to nothing where no tracer was bootstrapped.
  static func run(
    _ request: Request, _ body: () async -> Response
  ) async -> Response {
    var context = ServiceContext.current ?? .topLevel
    InstrumentationSystem.instrument.extract(request.headers, into: &context, using: FieldExtractor())
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
