internal import AsyncHTTPClient
internal import Foundation
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// Why a connection was not made or broke, in a few words for people.
enum ConnectionFailure {
  /// `nil` for what is not known here.
  static func reason(_ error: any Error) -> String? {
    switch error {
    case let error as NIOConnectionError:
      if let first = error.connectionErrors.first {
        reason(first.error)
      } else {
        "\(error.host) is not known"
      }
    case is SocketAddressError.UnknownHost: "its name is not known"
    case let error as IOError: String(cString: strerror(error.errnoCode)).lowercasedFirst
    case ChannelError.connectTimeout: "no answer"
    case ChannelError.eof, ChannelError.inputClosed, ChannelError.ioOnClosedChannel,
      ChannelError.alreadyClosed:
      "the connection was closed"
    case let error as HTTPClientError where error == .remoteConnectionClosed: "the connection was closed"
    case NIOSSLError.uncleanShutdown: "the connection was closed"
    case is NIOSSLError, is BoringSSLError: insecurity("\(error)")
    default: nil
    }
  }

  /// The libraries' words name their own source files.
  private static func insecurity(_ description: String) -> String {
    if description.contains("CERTIFICATE_VERIFY_FAILED") {
      "its certificate is not valid, or not one that this machine trusts"
    } else if description.contains("WRONG_VERSION_NUMBER") {
      "it does not speak TLS"
    } else {
      "no secure connection could be made"
    }
  }
}

extension String {
  fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
