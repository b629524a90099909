internal import AsyncHTTPClient
public import AtomsyncCore
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPCompression
internal import NIOSSL

/// Carries messages over HTTP to a server that speaks the protocol: `GET` and `POST` at one URL, live streams as
/// server-sent events.
///
/// ## Behavior
/// - Nothing is retried, with one exception: a request that the server refused for its token is sent once more, when
///   the credentials closure has a new one.
/// - Answers may come compressed, except from this machine.
/// - Redirects are not followed, since the token would go with them.
/// - Only an answer with the protocol's own header and error body counts as the server's word; anything else that is
///   not a success is `unavailable`.
public final class HTTPTransport: Transport {
  let endpoint: Endpoint
  let credentials: Credentials
  let options: HTTPTransportOptions
  let codec: any Codec
  let client: HTTPClient
  private let requestNumber = Lock(0)
  private let session = String(UInt32.random(in: .min ... .max), radix: 36)
  private let isClosed = Lock(false)

  /// - Parameters:
  ///   - url: the server's URL, such as `http://localhost:8090/sync`. Without a path, `/sync` is meant.
  ///   - token: the bearer token; `nil` for none.
  ///   - codec: what pushes are written in and pages asked for.
  ///   - options: timeouts, limits and certificates.
  /// - Throws: `TransportError` with `unsupported` when the URL cannot be a server's.
  public convenience init(
    _ url: String, token: String? = nil, codec: any Codec = .transitMsgPack,
    options: HTTPTransportOptions = HTTPTransportOptions()
  ) throws {
    self.init(try Endpoint(url), Credentials(token: token), codec, options)
  }

  /// - Parameters:
  ///   - url: the server's, with http or https.
  ///   - codec: how messages are encoded.
  ///   - options: timeouts, limits and certificates.
  ///   - credentials: asked for the token with every request; `nil` for none. When the server refuses the
  ///     token it is asked once more, once for all requests that wait, and the request sent again if the token is
  ///     another.
  public convenience init(
    _ url: String, codec: any Codec = .transitMsgPack, options: HTTPTransportOptions = HTTPTransportOptions(),
    credentials: @escaping @Sendable () async throws -> String?
  ) throws {
    self.init(try Endpoint(url), Credentials(fetch: credentials), codec, options)
  }

  private init(
    _ endpoint: Endpoint, _ credentials: Credentials, _ codec: any Codec, _ options: HTTPTransportOptions
  ) {
    self.endpoint = endpoint
    self.credentials = credentials
    self.codec = codec
    self.options = options
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: .init(connect: TimeAmount(options.connectTimeout)),
      decompression: .enabled(limit: .size(options.maximumAnswerBytes)))
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = options.maximumConnections
    // A refused connection is an answer: the replica knows when to try again.
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.http1_1ConnectionDebugInitializer = SendBuffer.bound
    if let path = options.trustedCertificates {
      var tls = TLSConfiguration.makeClientConfiguration()
      tls.trustRoots = .file(path)
      configuration.tlsConfiguration = tls
    }
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  deinit {
    // A client that was not shut down keeps its connections, and traps in debug builds.
    if !isClosed.withLock({ $0 }) { client.shutdown { _ in } }
  }

  /// Asks for one page, with `GET`.
  public func pull(
    _ request: PullRequest, progress: @escaping @Sendable () -> Void
  ) async throws -> PullPage {
    try await exchange(.GET, endpoint.pull(request), nil, progress)
  }

  /// Sends edits and answers the verdicts, with `POST`.
  ///
  /// - Throws: `TransportError`, with `refused` when the edits cannot be encoded; `CancellationError`.
  public func push(
    _ request: PushRequest, progress: @escaping @Sendable () -> Void
  ) async throws -> PushAnswer {
    let body: [UInt8]
    do {
      body = try codec.encode(request)
    } catch {
      throw TransportError(.refused, "The push cannot be encoded.", cause: "\(error)")
    }
    return try await exchange(.POST, endpoint.url, body, progress)
  }

  /// Follows groups, with one `GET` for all.
  ///
  /// - Throws: `TransportError`, with `timedOut` after three heartbeats of silence; `CancellationError`;
  ///   what `receive` throws.
  public func live(
    _ request: LiveRequest, receive: @escaping @Sendable (LiveEvent) async throws -> Void
  ) async throws {
    let url = endpoint.live(request)
    try await reportingErrors {
      try await withCredentials { token in
        let options = self.options
        try await Watchdog.guarding(silence: options.heartbeat * 3) { watchdog in
          var request = self.request(.GET, url, token)
          request.headers.replaceOrAdd(name: "Accept", value: "text/event-stream")
          let answer = try await self.send(request, watchdog)
          let stream = LiveStream(answer, limit: options.maximumAnswerBytes, watchdog)
          try await stream.run(receive)
        }
      }
    }
  }

  /// Lets go of the connections; requests and streams in progress end with `TransportError` `closed`.
  public func close() async {
    let wasClosed = isClosed.withLock { isClosed in
      defer { isClosed = true }
      return isClosed
    }
    if !wasClosed { try? await client.shutdown() }
  }

  // MARK: Parts

  private func exchange<Answer: WireMessage>(
    _ method: HTTPMethod, _ url: String, _ body: [UInt8]?, _ progress: @escaping @Sendable () -> Void
  ) async throws -> Answer {
    try await reportingErrors {
      try await withCredentials { token in
        let options = self.options
        return try await Watchdog.guarding(silence: options.silenceTimeout, report: progress) { watchdog in
          var request = self.request(method, url, token)
          request.headers.replaceOrAdd(name: "Accept", value: self.codec.mediaType)
          if self.endpoint.isRemote { request.headers.replaceOrAdd(name: "Accept-Encoding", value: "gzip") }
          if let body {
            request.headers.replaceOrAdd(name: "Content-Type", value: self.codec.mediaType)
            request.body = RequestBody.of(body, watchdog)
          }
          let answer = try await self.send(request, watchdog)
          return try await answer.message(self.codec, limit: options.maximumAnswerBytes, watchdog)
        }
      }
    }
  }

  private func request(_ method: HTTPMethod, _ url: String, _ token: String?) -> HTTPClientRequest {
    let number = requestNumber.withLock { number in
      number += 1
      return number
    }
    var request = HTTPClientRequest(url: url)
    request.method = method
    request.headers.add(name: "Atomsync-Protocol", value: "1")
    request.headers.add(name: "X-Request-ID", value: "\(session)-\(number)")
    request.headers.add(name: "User-Agent", value: "atomsync")
    // Otherwise the library asks for compression by itself. Its limit counts all of a stream, which may be of any length.
    request.headers.add(name: "Accept-Encoding", value: "identity")
    if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
    return request
  }

  /// Sends a request and waits for the head of its answer.
  private func send(_ request: HTTPClientRequest, _ watchdog: Watchdog) async throws -> Answer {
    let response = try await client.execute(request, deadline: .distantFuture)  // the watchdog knows when
    watchdog.progress()
    return Answer(response)
  }

  /// Runs with a token, and once more with another when the server refuses it.
  private func withCredentials<Value: Sendable>(
    _ body: (String?) async throws -> Value
  ) async throws -> Value {
    let token = try await credentials.token()
    try Self.check(token)
    do {
      return try await body(token)
    } catch let error as TransportError where error.code == .unauthorized {
      guard let renewed = try await credentials.renewed(after: token) else { throw error }
      try Self.check(renewed)
      return try await body(renewed)
    }
  }

  /// The library would repeat the token in its error.
  private static func check(_ token: String?) throws {
    guard let token, !token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return }
    throw TransportError(
      .unauthorized,
      "The token cannot be sent: it has a space, a control character or a letter beyond ASCII.")
  }

  private func reportingErrors<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
    let closed = TransportError(.closed, "The transport is closed.")
    if isClosed.withLock({ $0 }) { throw closed }
    do {
      return try await body()
    } catch let error as ReceiverError {
      throw error.error
    } catch {
      if Task.isCancelled { throw CancellationError() }
      if isClosed.withLock({ $0 }) { throw closed }
      throw TransportError(sending: error, to: endpoint.url)
    }
  }
}
