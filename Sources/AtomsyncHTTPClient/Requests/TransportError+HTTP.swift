internal import AsyncHTTPClient
internal import AtomsyncCore
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPCompression

extension TransportError {
  /// What went wrong below on the way to `url`, in the transport's words.
  init(sending error: any Error, to url: String) {
    switch error {
    case let error as TransportError: self = error
    case let error as HTTPClientError: self.init(error, url)
    case is HTTPParserError where (error as? HTTPParserError) != .invalidEOFState:
      self.init(.malformedAnswer, "What came back is not HTTP.", cause: "\(error)")
    case let error as NIOHTTPDecompression.DecompressionError:
      self.init(
        .malformedAnswer, "The answer cannot be decompressed, or has more bytes than are taken.",
        cause: "\(error)")
    default: self.init(unreachable: url, error)
    }
  }

  private init(unreachable url: String, _ error: any Error) {
    let reason = ConnectionFailure.reason(error)
    self.init(.unreachable, "Cannot reach \(url): \(reason ?? "\(error)").")
  }

  private init(_ error: HTTPClientError, _ url: String) {
    switch error {
    case .connectTimeout, .deadlineExceeded, .readTimeout, .writeTimeout, .getConnectionFromPoolTimeout,
      .tlsHandshakeTimeout, .httpProxyHandshakeTimeout, .socksHandshakeTimeout:
      self.init(.timedOut, "\(url) did not answer in time.", cause: "\(error)")
    case .alreadyShutdown:
      self.init(.closed, "The transport is closed.")
    default: self.init(unreachable: url, error)
    }
  }
}

/// An error of the application's own, on its way through the transport unchanged.
struct ReceiverError: Error {
  let error: any Error
}
