internal import AtomsyncCore
internal import AtomsyncEngine
internal import Logging
internal import NIOCore

/// A live stream: the authority's loop of pulls on one side, a connection on the other.
///
/// ## Behavior
/// - A page is pulled only when the one before it was taken by the connection, which takes it when the reader does.
/// - Ends in good order when the server shuts down or every group was revoked; breaks off, so that the client tries
///   again, when the store fails or the reader takes nothing for the configured time; stops at once when the client
///   goes away.
package final class EventStream: Sendable {
  /// By which others end it.
  package let watch: StreamWatch
  let endpoint: SyncEndpoint
  let live: LiveRequest
  let caller: Caller
  let log: Logger
  /// Its place among the streams that may be open, which it leaves when it goes.
  let place: StreamPlace
  /// Every chunk is compressed, so that the reader has all of it at once.
  let isCompressed: Bool

  init(
    _ endpoint: SyncEndpoint, _ live: LiveRequest, _ caller: Caller, log: Logger, place: StreamPlace,
    isCompressed: Bool
  ) {
    watch = StreamWatch(endpoint.configuration, expires: caller.user?.expires)
    self.endpoint = endpoint
    self.live = live
    self.caller = caller
    self.log = log
    self.place = place
    self.isCompressed = isCompressed
  }

  /// Returns when the stream ended in good order, and the connection has taken all of it.
  package func run(_ output: some EventOutput) async throws {
    endpoint.metrics.streamOpened()
    endpoint.openStreams.enter(watch)
    defer {
      endpoint.openStreams.leave(watch)
      endpoint.metrics.streamClosed()
      place.leave()
    }
    let began = MonotonicTime.now
    log.debug("A live stream begins.", metadata: ["groups": "\(live.groups.count)"])
    do {
      try await follow(output)
      log.info("A live stream ended.", metadata: ["seconds": "\(began.elapsedSeconds)"])
    } catch {
      let reason: any Error = if case .failed(let error) = watch.ending { error } else { error }
      log.info(
        "A live stream broke off.", metadata: ["seconds": "\(began.elapsedSeconds)", "reason": "\(reason)"])
      throw reason
    }
  }

  private func follow(_ output: some EventOutput) async throws {
    let access = StreamAccess(endpoint.access, caller)
    let reader = try endpoint.authority.reader(
      live, pageBytes: endpoint.configuration.serverLimits.livePageBytes, admits: access.admits)
    watch.begin(reader.subscription, output.breakOff)
    let gzip = isCompressed ? GzipWriter(.stream) : nil
    while watch.ending == nil, let event = try await reader.next() {
      let frame = try frame(of: event)
      let written = gzip?.write(frame) ?? frame
      // Mostly the first page follows at once.
      if case .opened = event {
        try await output.writeSoon(written)
      } else {
        try await write(written, output)
      }
    }
    var farewell = EventFrame.empty
    switch watch.ending {
    case .left: return
    case .failed(let error): throw error
    case .shutdown: farewell = EventFrame.retry(after: Self.returnDelay())
    case nil: break
    }
    let last = gzip?.finish(farewell) ?? farewell
    if !last.isEmpty { try await write(last, output) }
  }

  private func write(_ frame: EventFrame, _ output: some EventOutput) async throws {
    for piece in frame.pieces {
      watch.willWrite()
      try await output.write(piece)
      watch.didWrite()
    }
  }

  private func frame(of event: LiveReader.Event) throws -> EventFrame {
    switch event {
    case .opened: return EventFrame.opening
    case .page(let shared):
      endpoint.metrics.pulled(shared.page)
      return try EventFrame.page(shared, for: caller.user?.name)
    case .revoked(let group): return try EventFrame.revoked(group: group)
    case .idle: return EventFrame.heartbeat
    }
  }

  /// When a client is to come back after a shutdown: not all of them at once.
  private static func returnDelay() -> Duration { .milliseconds(Int.random(in: 500...5000)) }
}

extension GzipWriter {
  fileprivate func write(_ frame: EventFrame) -> EventFrame { EventFrame(deflated: write(frame.bytes)) }
  fileprivate func finish(_ frame: EventFrame) -> EventFrame { EventFrame(deflated: finish(frame.bytes)) }
}

extension EventFrame {
  fileprivate init(deflated: ByteBuffer) {
    self.init(capacity: deflated.readableBytes) { $0.writeImmutableBuffer(deflated) }
  }
}

extension MonotonicTime {
  fileprivate var elapsedSeconds: Double { ((MonotonicTime.now - self) / .seconds(1) * 10).rounded() / 10 }
}
