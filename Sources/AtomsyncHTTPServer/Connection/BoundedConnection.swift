internal import AtomsyncCore
internal import HummingbirdCore
internal import Logging
internal import NIOCore

/// Connections of which one address may have only so many. This machine's own addresses may have any number: a proxy
/// that passes others' requests on is there.
struct BoundedConnection<Base: ServerChildChannel>: ServerChildChannel {
  let base: Base
  let quota: Quota

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
    guard let address = channel.remoteAddress?.ipAddress, !Loopback.isAddress(address) else {
      return base.setup(channel: channel, logger: logger)
    }
    guard quota.take(for: address) else {
      return channel.eventLoop.makeFailedFuture(TooManyConnections())
    }
    channel.closeFuture.whenComplete { _ in quota.giveBack(from: address) }
    return base.setup(channel: channel, logger: logger)
  }

  func handle(value: Base.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}

/// Closes a connection that is one too many.
struct TooManyConnections: Error {}
