package import HTTPTypes
package import NIOCore

/// What the endpoint answers, whatever carries it.
package struct EndpointResponse: Sendable {
  package enum Body: Sendable {
    case bytes(ByteBuffer)
    case events(EventStream)
  }

  package var status: HTTPResponse.Status
  package var headers: HTTPFields
  package var body: Body

  /// An answer whose length is known, and told.
  package init(_ status: HTTPResponse.Status, _ headers: HTTPFields = [:], _ bytes: ByteBuffer = ByteBuffer())
  {
    self.status = status
    self.headers = headers
    self.headers[.contentLength] = String(bytes.readableBytes)
    body = .bytes(bytes)
  }

  init(_ headers: HTTPFields, _ events: EventStream) {
    status = .ok
    self.headers = headers
    body = .events(events)
  }

  /// The same without its body: the length says what a GET would have got.
  var withoutBody: EndpointResponse {
    var response = self
    response.body = .bytes(ByteBuffer())
    return response
  }
}
