internal import AsyncHTTPClient
internal import AtomsyncCore
internal import NIOCore
internal import NIOHTTP1
internal import Transit

/// An answer whose head has come.
struct Answer: Sendable {
  private let response: HTTPClientResponse

  init(_ response: HTTPClientResponse) { self.response = response }

  var body: HTTPClientResponse.Body { response.body }

  /// Reads the body and decodes it.
  ///
  /// - Throws: `TransportError`; what the server said, when it said no.
  func message<Message: WireMessage>(
    _ codec: any Codec, limit: Int, _ watchdog: Watchdog
  ) async throws -> Message {
    try await check(codec, limit: limit, watchdog)
    let bytes = try await bytes(limit: limit, watchdog)
    do {
      return try self.codec(codec).decode(Message.self, from: bytes)
    } catch {
      throw TransportError(.malformedAnswer, "The server's answer cannot be understood.", cause: "\(error)")
    }
  }

  /// - Throws: `TransportError` unless it is the success of a server that speaks the protocol.
  func check(_ codec: any Codec, limit: Int, _ watchdog: Watchdog) async throws {
    if response.status == .ok && speaksProtocol { return }
    guard let versions = response.headers.first(name: "Atomsync-Protocol") else { throw foreign }
    guard speaksProtocol else {
      throw TransportError(
        .unsupported, "The server speaks another version of the protocol.", cause: "version \(versions)")
    }
    let bytes = try await bytes(limit: min(limit, 1 << 20), watchdog)
    guard let body = try? self.codec(codec).decode(ProtocolError.self, from: bytes) else { throw foreign }
    throw TransportError(body, retryAfter: retryAfter)
  }

  var isEventStream: Bool { contentType.hasPrefix("text/event-stream") }

  // MARK: Parts

  private var speaksProtocol: Bool {
    response.headers[canonicalForm: "Atomsync-Protocol"].contains("1")
  }

  private var contentType: String { response.headers.first(name: "Content-Type")?.lowercased() ?? "" }

  /// The codec that reads the answer: by what it says, else the one that was asked for.
  private func codec(_ asked: any Codec) -> any Codec {
    let known: [any Codec] = [asked, TransitCodec.transitJSON, .transitVerboseJSON, .transitMsgPack]
    return known.first { contentType == $0.mediaType }
      ?? known.first { contentType.split(separator: ";").first.map(String.init) == $0.mediaType } ?? asked
  }

  private func bytes(limit: Int, _ watchdog: Watchdog) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    for try await chunk in response.body {
      watchdog.progress()
      guard bytes.count + chunk.readableBytes <= limit else {
        throw TransportError(.malformedAnswer, "The server's answer has more than \(limit) bytes.")
      }
      bytes.append(contentsOf: chunk.readableBytesView)
    }
    return bytes
  }

  /// Whole seconds, or nothing: the header's other form, a date, would bring the clocks into it.
  private var retryAfter: Duration? {
    guard let text = response.headers.first(name: "Retry-After"), let seconds = Int64(text), seconds >= 0
    else {
      return nil
    }
    return .seconds(min(seconds, 86_400))
  }

  /// Somebody answered that is not the server: a proxy, a portal, another program at that port.
  private var foreign: TransportError {
    let code = response.status.code
    if (300..<400).contains(code), let target = response.headers.first(name: "Location") {
      return TransportError(
        .unavailable, "The URL redirects elsewhere, which is not followed. Use the server's own URL.",
        cause: "HTTP \(code) to \(target)", retryAfter: retryAfter)
    }
    if code == 413 {
      return TransportError(
        .oversized, "Something between here and the server refuses messages of this size.",
        cause: "HTTP 413")
    }
    return TransportError(
      .unavailable, "Something answered that is not an Atomsync server, or that stands before one.",
      cause: "HTTP \(code)", retryAfter: retryAfter)
  }
}
