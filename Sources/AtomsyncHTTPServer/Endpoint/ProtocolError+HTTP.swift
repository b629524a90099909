internal import AtomsyncCore
internal import HTTPTypes
internal import NIOCore
internal import Transit

extension ProtocolError {
  /// The status that goes with the error. (Docs/Protocol.md §7.)
  var status: HTTPResponse.Status {
    switch code {
    case .malformed, .invalidGroup, .invalidID, .invalidParameter, .duplicateID, .unsupportedProtocol:
      .badRequest
    case .unauthorized: .unauthorized
    case .forbidden, .wrongUser: .forbidden
    case .notFound: .notFound
    case .methodNotAllowed: .methodNotAllowed
    case .notAcceptable: .notAcceptable
    case .stalePush: .conflict
    case .tooLarge: .contentTooLarge
    case .unsupportedMediaType: .unsupportedMediaType
    case .tooManyRequests: .tooManyRequests
    case .unavailable: .serviceUnavailable
    default: .internalServerError
    }
  }

  /// Header fields that go with the error.
  var fields: [(HTTPField.Name, String)] {
    switch code {
    case .unauthorized: [(.wwwAuthenticate, "Bearer realm=\"atomsync\"")]
    case .tooManyRequests, .unavailable: [(.retryAfter, "1")]
    default: []
    }
  }

  /// What to tell a client about an error. Only what the client can do something about is told in detail.
  init(telling error: any Error) {
    switch error {
    case let error as ProtocolError: self = error
    case let error as StorageError where [.closed, .inUse, .full, .inaccessible].contains(error.code):
      self.init(.unavailable, "The server's store cannot be used at the moment. Try again later.")
    case let error as TransitError where error.code == .tooLarge:
      self.init(
        .tooLarge,
        "The answer would be too large without cache codes. Ask for fewer documents, or without verbose=true."
      )
    case is CancellationError:
      self.init(.unavailable, "The server is shutting down. Try again later.")
    default:
      self.init(.internal, "The server failed to answer. Its log knows more, under the request's id.")
    }
  }

  /// A body that could not be decoded.
  init(undecodable error: any Error) {
    switch error {
    case let error as TransitError where error.code == .tooLarge:
      self.init(
        .tooLarge, "The documents have too many bytes when each stands for itself. Push fewer at once.",
        offset: error.offset.map(Int64.init))
    case let error as TransitError:
      self.init(.malformed, error.message, offset: error.offset.map(Int64.init))
    case let error as MessageError:
      self.init(.malformed, error.message, offset: error.offset.map(Int64.init))
    default:
      self.init(.malformed, "The body cannot be read.")
    }
  }
}
