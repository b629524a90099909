internal import NIOCore

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// How much of a request may wait in the system to be sent.
///
/// Without a bound the system takes some megabytes at once, which on a slow link are minutes during which nothing shows
/// that the request gets on.
enum SendBuffer {
  private static let unsentBytes: Int32 = 64 << 10

  /// Sets the bound on a new connection, from the one hook that the client library has for that; where it cannot be set,
  /// the connection is as good without it.
  @Sendable static func bound(_ channel: any Channel) -> EventLoopFuture<Void> {
    let option = ChannelOptions.Types.SocketOption(
      level: .tcp, name: NIOBSDSocket.Option(rawValue: TCP_NOTSENT_LOWAT))
    return channel.setOption(option, value: SocketOptionValue(unsentBytes)).flatMapErrorThrowing { _ in }
  }
}
