internal import AtomsyncCore
internal import HTTPTypes
internal import Logging
internal import NIOCore

/// What is known of one request, for its answer and for the log.
final class RequestContext {
  let request: EndpointRequest
  let began = MonotonicTime.now
  var group: String?
  /// Who sends it, once that is known.
  var caller = Caller.anybody
  /// It asks for a live stream.
  private(set) var wantsEvents = false
  private let methods: AllowedMethods
  private let id: String
  private let logger: Logger
  private let reader: (any Codec)?
  private(set) var writer: AnswerWriter

  init(
    _ request: EndpointRequest, _ negotiation: Negotiation, logger: Logger, methods: AllowedMethods = .sync
  ) {
    self.request = request
    self.methods = methods
    self.logger = logger
    id = Self.id(of: request.head)
    reader = negotiation.reader(contentType: request.head.headerFields.value(of: .contentType))
    writer = AnswerWriter(request: request, codec: reader ?? negotiation.defaultCodec)
  }

  var user: String? { caller.user?.name }

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
    guard let asked = request.head.headerFields.value(of: .atomsyncProtocol) else { return }
    let versions = asked.utf8.split(whereSeparator: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: " ") })
    guard versions.contains(where: { $0.elementsEqual("1".utf8) }) else {
      throw ProtocolError(
        .unsupportedProtocol, "This server speaks version 1 of the protocol; the request asks for another.")
    }
  }

  /// Chooses the type of the answer, errors included.
  func negotiate(_ negotiation: Negotiation) throws {
    let chosen = negotiation.answer(
      accept: request.head.headerFields.value(of: .accept), like: request.head.method == .post ? reader : nil,
      allowsEventStream: request.head.method == .get)
    guard let chosen else {
      writer.codec = negotiation.defaultCodec
      throw ProtocolError(
        .notAcceptable,
        "This URL answers application/transit+json, also with verbose=true, "
          + "application/transit+msgpack and, for GET, text/event-stream.")
    }
    switch chosen {
    case .codec(let codec): writer.codec = codec
    case .eventStream:
      writer.codec = negotiation.defaultCodec
      wantsEvents = true
    }
  }

  // MARK: Messages

  /// Reads the body, counting while it arrives.
  ///
  /// - Parameter memory: what all bodies that are not complete may take together.
  func message<Message: WireMessage>(limit: Int, memory: Quota) async throws -> Message {
    let reader = try bodyReader(limit)
    var body = BodyBytes(limit: limit, memory: memory, try gzipReader(limit: limit))
    let bytes: [UInt8]
    do {
      switch request.takeBody() {
      case .whole(let whole): try body.read(whole)
      case .pieces(let pieces): try await read(pieces, into: &body)
      }
      bytes = try body.finish()
    } catch {
      throw problem(error, limit)
    }
    do {
      if bytes.count > OffLoop.shortBytes {
        return try await OffLoop.run { try reader.decode(Message.self, from: bytes) }
      }
      return try reader.decode(Message.self, from: bytes)
    } catch {
      throw ProtocolError(undecodable: error)
    }
  }

  private func bodyReader(_ limit: Int) throws -> any Codec {
    guard let reader, request.head.headerFields.contains(.contentType) else {
      throw ProtocolError(
        .unsupportedMediaType,
        "The body must be application/transit+json or application/transit+msgpack, and Content-Type say so.")
    }
    let length = request.head.headerFields.value(of: .contentLength).flatMap { Int($0) }
    if let length, length > limit { throw Self.tooLarge(limit) }
    return reader
  }

  private func read(
    _ pieces: some AsyncSequence<ByteBuffer, any Error>, into body: inout BodyBytes
  ) async throws {
    for try await piece in pieces { try body.read(piece) }
  }

  private func problem(_ error: any Error, _ limit: Int) -> ProtocolError {
    switch error {
    case BodyBytes.Failure.tooLarge, GzipReader.Failure.tooLarge: return Self.tooLarge(limit)
    case BodyBytes.Failure.busy:
      return ProtocolError(.unavailable, "The server reads too many large bodies at once. Try again later.")
    case GzipReader.Failure.malformed:
      return ProtocolError(.malformed, "The body is not one complete gzip stream.")
    default:
      // Not the client's mistake, as far as can be known: it may send the same body again.
      log.debug("A body broke off.", metadata: ["error": "\(error)"])
      return ProtocolError(.unavailable, "The body ended before it was complete. Send it again.")
    }
  }

  private static func tooLarge(_ limit: Int) -> ProtocolError {
    ProtocolError(
      .tooLarge, "The body has more than \(limit) bytes. Push fewer documents at once.", limit: Int64(limit))
  }

  /// What reads a body that is compressed; `nil` for one that is as it is.
  private func gzipReader(limit: Int) throws -> GzipReader? {
    switch request.head.headerFields.value(of: .contentEncoding)?.lowercased() {
    case nil, "identity": nil
    case "gzip", "x-gzip": try GzipReader(limit: limit)
    case .some:
      throw ProtocolError(
        .unsupportedMediaType, "Bodies are read as they are, or compressed with gzip, and not otherwise.")
    }
  }

  // MARK: The end

  /// The answer with what every answer has.
  func finished(_ response: consuming EndpointResponse) -> EndpointResponse {
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
      (try? writer.answer(body, status: body.status)) ?? EndpointResponse(body.status)
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
    let elapsed = MonotonicTime.now - began
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
    if let id = request.headerFields.value(of: .requestID), (1...128).contains(id.utf8.count),
      id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    {
      return id
    }
    return RequestNumber.next()
  }
}
