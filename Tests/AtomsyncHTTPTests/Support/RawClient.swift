import AsyncHTTPClient
import AtomsyncCore
import NIOCore
import NIOHTTP1
import Transit

/// Requests without the transport between: what curl would send.
struct RawClient {
  let url: String

  /// For all tests, to the end of the process. Unlike the library's shared one it asks for nothing compressed.
  static let client = HTTPClient(eventLoopGroupProvider: .singleton)

  struct Reply {
    let status: Int
    let headers: HTTPHeaders
    let bytes: [UInt8]

    var error: ProtocolError? { try? codec.decode(ProtocolError.self, from: bytes) }
    var page: PullPage? { try? codec.decode(PullPage.self, from: bytes) }
    var verdicts: PushAnswer? { try? codec.decode(PushAnswer.self, from: bytes) }
    var text: String { String(decoding: bytes, as: UTF8.self) }

    private var codec: TransitCodec {
      switch headers.first(name: "Content-Type") {
      case "application/transit+msgpack": .transitMsgPack
      case "application/transit+json; verbose=true": .transitVerboseJSON
      default: .transitJSON
      }
    }
  }

  func send(
    _ method: HTTPMethod = .GET, _ query: String = "", headers: [String: String] = [:],
    body: HTTPClientRequest.Body? = nil
  ) async throws -> Reply {
    var request = HTTPClientRequest(url: url + query)
    request.method = method
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    request.body = body
    let response = try await RawClient.client.execute(request, timeout: .seconds(10))
    let bytes = try await response.body.collect(upTo: 64 << 20)
    return Reply(
      status: Int(response.status.code), headers: response.headers, bytes: Array(bytes.readableBytesView))
  }

  func post(_ text: String, type: String? = "application/transit+json", headers: [String: String] = [:])
    async throws -> Reply
  {
    var headers = headers
    headers["Content-Type"] = type
    return try await send(.POST, headers: headers, body: .bytes(ByteBuffer(string: text)))
  }
}

extension TestServer {
  var raw: RawClient { RawClient(url: url) }
}
