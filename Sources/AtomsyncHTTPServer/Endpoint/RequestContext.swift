internal import AtomsyncCore
internal import HTTPTypes
internal import Logging
internal import NIOCore

/// What is known of one request, for its answer and for the log.
struct RequestContext {
  let request: EndpointRequest
  let began = ContinuousClock.now
  var group: String?
  var user: String?
  private let methods: AllowedMethods
  private let id: String
  private let logger: Logger
  private let reader: (any Codec)?
  private var writer: any Codec

  init(
    _ request: EndpointRequest, _ negotiation: Negotiation, logger: Logger, methods: AllowedMethods = .sync
  ) {
    self.request = request
    self.methods = methods
    self.logger = logger
    id = Self.id(of: request.head)
    reader = negotiation.reader(contentType: request.head.headerFields[.contentType])
    writer = reader ?? negotiation.defaultCodec
  }

  /// Made where it is needed: most requests are not logged.
  var log: Logger {
    var log = logger
    log[metadataKey: "request"] = "\(id)"
    return log
  }

  // MARK: Checks

  func checkMethod() throws {
    guard methods.list.contains(request.head.method) else {
      throw ProtocolError(.methodNotAllowed, methods.explanation)
    }
  }

  func checkProtocol() throws {
    guard let asked = request.head.headerFields[.atomsyncProtocol] else { return }
    let versions = asked.utf8.split(whereSeparator: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: " ") })
    guard versions.contains(where: { $0.elementsEqual("1".utf8) }) else {
      throw ProtocolError(
        .unsupportedProtocol, "This server speaks version 1 of the protocol; the request asks for another.")
    }
  }

  /// Chooses the type of the answer, errors included.
  mutating func negotiate(_ negotiation: Negotiation) throws -> Negotiation.Answer {
    let chosen = negotiation.answer(
      accept: request.head.headerFields[.accept], like: request.head.method == .post ? reader : nil,
      allowsEventStream: request.head.method == .get)
    guard let chosen else {
      writer = negotiation.defaultCodec
      throw ProtocolError(
        .notAcceptable,
        "This URL answers application/transit+json, also with verbose=true, "
          + "application/transit+msgpack and, for GET, text/event-stream.")
    }
    if case .codec(let codec) = chosen { writer = codec } else { writer = negotiation.defaultCodec }
    return chosen
  }

  // MARK: Messages

  /// Reads the body, counting while it arrives.
  ///
  /// - Parameter memory: what all bodies that are not complete may take together.
  func message<Message: WireMessage>(limit: Int, memory: Quota) async throws -> Message {
    guard let reader, request.head.headerFields.contains(.contentType) else {
      throw ProtocolError(
        .unsupportedMediaType,
        "The body must be application/transit+json or application/transit+msgpack, and Content-Type say so.")
    }
    let tooLarge = ProtocolError(
      .tooLarge, "The body has more than \(limit) bytes. Push fewer documents at once.", limit: Int64(limit))
    if let length = request.head.headerFields[.contentLength].flatMap(Int.init), length > limit {
      throw tooLarge
    }
    let bytes = try await body(limit: limit, memory: memory, try gzipReader(limit: limit), tooLarge)
    do {
      return try await OffLoop.run(if: bytes.count > OffLoop.shortBytes) {
        try reader.decode(Message.self, from: bytes)
      }
    } catch {
      throw ProtocolError(undecodable: error)
    }
  }

  /// The first bytes of a body that every client may send, whatever others do.
  private static let uncountedBytes = 16 << 10

  /// What reads a body that is compressed; `nil` for one that is as it is.
  private func gzipReader(limit: Int) throws -> GzipReader? {
    switch request.head.headerFields[.contentEncoding]?.lowercased() {
    case nil, "identity": nil
    case "gzip", "x-gzip": try GzipReader(limit: limit)
    case .some:
      throw ProtocolError(
        .unsupportedMediaType, "Bodies are read as they are, or compressed with gzip, and not otherwise.")
    }
  }

  private func body(
    limit: Int, memory: Quota, _ gzip: GzipReader?, _ tooLarge: ProtocolError
  ) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    var counted = 0
    defer { memory.giveBack(counted) }
    func append(_ chunk: ByteBuffer) throws {
      let size = bytes.count + chunk.readableBytes
      if size > limit { throw tooLarge }
      let more = max(0, size - Self.uncountedBytes) - counted
      guard memory.take(more) else {
        throw ProtocolError(
          .unavailable, "The server reads too many large bodies at once. Try again later.")
      }
      counted += more
      bytes.append(contentsOf: chunk.readableBytesView)
    }
    do {
      for try await chunk in request.body {
        if let gzip { try gzip.read(chunk, append) } else { try append(chunk) }
      }
      if let gzip, !gzip.isComplete { throw GzipReader.Failure.malformed }
    } catch let error as ProtocolError {
      throw error
    } catch GzipReader.Failure.tooLarge {
      throw tooLarge
    } catch GzipReader.Failure.malformed {
      throw ProtocolError(.malformed, "The body is not one complete gzip stream.")
    } catch {
      // Not the client's mistake, as far as can be known: it may send the same body again.
      log.debug("A body broke off.", metadata: ["error": "\(error)"])
      throw ProtocolError(.unavailable, "The body ended before it was complete. Send it again.")
    }
    return bytes
  }

  /// A shorter answer is not worth compressing.
  private static let uncompressedBytes = 1024

  /// Whether the client takes what is compressed.
  var allowsGzip: Bool { AcceptEncoding.allowsGzip(request.head.headerFields[.acceptEncoding]) }

  func answer(_ message: some WireMessage, status: HTTPResponse.Status = .ok) throws -> EndpointResponse {
    var body = ByteBuffer(bytes: try writer.encode(message))
    var headers: HTTPFields = [.contentType: writer.mediaType]
    if body.readableBytes > Self.uncompressedBytes {
      headers[.vary] = "Accept-Encoding"
      if allowsGzip, let gzip = GzipWriter(.answer) {
        headers[.contentEncoding] = "gzip"
        body = gzip.finish(body)
      }
    }
    return EndpointResponse(status, headers, body)
  }

  // MARK: The end

  /// The answer with what every answer has.
  func finished(_ response: EndpointResponse) -> EndpointResponse {
    var response = response
    response.headers[.atomsyncProtocol] = "1"
    response.headers[.requestID] = id
    response.headers[.cacheControl] = "no-store"
    write(response.status)
    return response
  }

  /// The answer that tells an error.
  func finished(_ error: any Error) -> EndpointResponse {
    let body = ProtocolError(telling: error)
    var response =
      (try? answer(body, status: body.status)) ?? EndpointResponse(body.status)
    for (name, value) in body.fields { response.headers[name] = value }
    if body.code == .methodNotAllowed { response.headers[.allow] = methods.header }
    if request.head.method == .head {
      response = response.withoutBody
    }
    if body.code == .internal {
      log.error("A request failed.", metadata: ["error": "\(error)"])
    }
    return finished(response)
  }

  private func write(_ status: HTTPResponse.Status) {
    guard logger.logLevel <= .info else { return }
    let elapsed = ContinuousClock.now - began
    log.info(
      "\(request.head.method) \(request.path) \(status.code)",
      metadata: [
        "group": "\(Self.quoted(group))", "user": "\(Self.quoted(user))",
        "ms": "\((elapsed / .milliseconds(1)).rounded() )",
      ])
  }

  /// What a client sent, so that it cannot be taken for something else in a log: as it is where it is plain, quoted where not.
  private static func quoted(_ text: String?) -> String {
    guard let text else { return "-" }
    let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x3D }
    return isPlain ? text : text.debugDescription
  }

  /// The client's own id where it is short and plain, else a new one.
  private static func id(of request: HTTPRequest) -> String {
    if let id = request.headerFields[.requestID], (1...128).contains(id.utf8.count),
      id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    {
      return id
    }
    return RequestNumber.next()
  }
}
