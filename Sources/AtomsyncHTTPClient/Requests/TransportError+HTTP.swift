internal import AsyncHTTPClient
internal import AtomsyncCore
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPCompression

extension TransportError {
  /// What went wrong below, in the transport's words.
  init(sending error: any Error) {
    switch error {
    case let error as TransportError: self = error
    case let error as HTTPClientError: self.init(error)
    case is HTTPParserError where (error as? HTTPParserError) != .invalidEOFState:
      self.init(.malformedAnswer, "What came back is not HTTP.", cause: "\(error)")
    case let error as NIOHTTPDecompression.DecompressionError:
      self.init(
        .malformedAnswer, "The answer cannot be decompressed, or has more bytes than are taken.",
        cause: "\(error)")
    default:
      self.init(.unreachable, "The connection to the server could not be made, or broke.", cause: "\(error)")
    }
  }

  private init(_ error: HTTPClientError) {
    switch error {
    case .connectTimeout, .deadlineExceeded, .readTimeout, .writeTimeout, .getConnectionFromPoolTimeout,
      .tlsHandshakeTimeout, .httpProxyHandshakeTimeout, .socksHandshakeTimeout:
      self.init(.timedOut, "The server did not answer in time.", cause: "\(error)")
    case .alreadyShutdown:
      self.init(.closed, "The transport is closed.")
    default:
      self.init(.unreachable, "The connection to the server could not be made, or broke.", cause: "\(error)")
    }
  }
}

/// An error of the application's own, on its way through the transport unchanged.
struct ReceiverError: Error {
  let error: any Error
}
