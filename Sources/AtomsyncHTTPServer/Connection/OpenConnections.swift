internal import AtomsyncCore
internal import NIOCore

/// The connections that are open: only so many in all and from one address, and how they come to an end.
///
/// This machine's own addresses may have any number of them: a proxy that passes others' requests on is there.
final class OpenConnections: Sendable {
  private struct State {
    /// Those that were accepted, and perhaps not made yet.
    var accepted = 0
    var channels: [ObjectIdentifier: any Channel] = [:]
    var isQuiescing = false
    /// Accepts the next connection, once there is room for it.
    var heldAccept: (@Sendable () -> Void)?
    var drained: EventLoopPromise<Void>?
  }

  private let state = Lock(State())
  private let most: Int
  private let addresses: Quota

  init(most: Int, perAddress: Int) {
    self.most = most
    addresses = Quota(total: .max, perHolder: perAddress)
  }

  /// - Throws: ``ConnectionRefused``: it is one too many from its address, or comes too late.
  func enter(_ channel: any Channel) throws {
    let address = channel.remoteAddress?.ipAddress.flatMap { Loopback.isAddress($0) ? nil : $0 }
    if let address, !addresses.take(for: address) { throw ConnectionRefused() }
    let isWelcome = state.withLock { state in
      if !state.isQuiescing { state.channels[ObjectIdentifier(channel)] = channel }
      return !state.isQuiescing
    }
    guard isWelcome else {
      if let address { addresses.giveBack(from: address) }
      throw ConnectionRefused()
    }
    channel.closeFuture.whenComplete { [self] _ in
      if let address { addresses.giveBack(from: address) }
      leave(channel)
    }
  }

  private func leave(_ channel: any Channel) {
    let drained = state.withLock { state in
      state.channels[ObjectIdentifier(channel)] = nil
      return state.channels.isEmpty ? state.drained : nil
    }
    drained?.succeed()
  }

  /// Whether another may be accepted. If not, `later` is called when one may.
  func mayAccept(later: @escaping @Sendable () -> Void) -> Bool {
    state.withLock { state in
      if state.accepted < most { return true }
      state.heldAccept = later
      return false
    }
  }

  /// At once when it is, before its event loop knows of it.
  func accepted(_ channel: any Channel) {
    state.withLock { $0.accepted += 1 }
    channel.closeFuture.whenComplete { [self] _ in
      let accept = state.withLock { state in
        state.accepted -= 1
        defer { state.heldAccept = nil }
        return state.heldAccept
      }
      accept?()
    }
  }

  /// Has all connections end when they have answered, and closes those that have not by then.
  func drain(on loop: any EventLoop, within time: TimeAmount) async throws {
    let drained = loop.makePromise(of: Void.self)
    let channels = state.withLock { state in
      state.isQuiescing = true
      if !state.channels.isEmpty { state.drained = drained }
      return Array(state.channels.values)
    }
    if channels.isEmpty { drained.succeed() }
    for channel in channels { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
    let deadline = loop.scheduleTask(in: time) { [self] in
      for channel in state.withLock({ Array($0.channels.values) }) { TLSConnection.closeAtOnce(channel) }
    }
    try await drained.futureResult.get()
    deadline.cancel()
  }
}

/// Closes a connection that is not taken.
struct ConnectionRefused: Error {}

/// Accepts no connection while there are as many as there may be: those who want one wait in the system's queue.
final class AcceptGate: ChannelDuplexHandler {
  typealias InboundIn = any Channel
  typealias InboundOut = any Channel
  typealias OutboundIn = Never

  private let connections: OpenConnections

  init(_ connections: OpenConnections) { self.connections = connections }

  func read(context: ChannelHandlerContext) {
    let (channel, gate) = (context.channel, NIOLoopBound(context, eventLoop: context.eventLoop))
    let mayAccept = connections.mayAccept { channel.eventLoop.execute { gate.value.read() } }
    if mayAccept { context.read() }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    connections.accepted(unwrapInboundIn(data))
    context.fireChannelRead(data)
  }
}
