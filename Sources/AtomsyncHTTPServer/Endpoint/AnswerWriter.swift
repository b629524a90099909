internal import AtomsyncCore
internal import HTTPTypes
internal import NIOCore

/// Writes messages in the form that a request has asked for.
struct AnswerWriter: Sendable {
  let request: EndpointRequest
  var codec: any Codec

  /// A shorter answer is not worth compressing.
  private static let uncompressedBytes = 1024
  /// Enough header fields for most answers.
  private static let usualFields = 8

  func answer(_ message: some WireMessage, status: HTTPResponse.Status = .ok) throws -> EndpointResponse {
    var body = ByteBuffer(bytes: try codec.encode(message))
    var headers = HTTPFields()
    headers.reserveCapacity(Self.usualFields)
    headers[.contentType] = codec.mediaType
    if body.readableBytes > Self.uncompressedBytes {
      headers[.vary] = "Accept-Encoding"
      if request.allowsGzip, let gzip = GzipWriter(.answer) {
        headers[.contentEncoding] = "gzip"
        body = gzip.finish(body)
      }
    }
    return EndpointResponse(status, headers, body)
  }
}

extension EndpointRequest {
  /// Whether the client takes what is compressed.
  var allowsGzip: Bool { AcceptEncoding.allowsGzip(head.headerFields.value(of: .acceptEncoding)) }
}
