internal import AtomsyncCore
internal import AtomsyncEngine
internal import Foundation
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import ServiceLifecycle

/// A live stream: the authority's loop of pulls on one side, a connection on the other.
///
/// ## Behavior
/// - A page is pulled only when the one before it was taken by the connection, which takes it when the reader does.
/// - Ends in good order when the server shuts down or every group was revoked; breaks off, so that the client tries
///   again, when the store fails or the reader takes nothing for the configured time; stops at once when the client
///   goes away.
struct EventStream: Sendable {
  let endpoint: SyncEndpoint
  let live: LiveRequest
  let caller: Caller
  let log: Logger
  let requestBody: RequestBody
  let connection: (any Channel)?
  /// Its place among the streams that may be open, which it leaves when it goes.
  let place: StreamPlace
  /// Every chunk is compressed, so that the reader has all of it at once.
  let isCompressed: Bool

  var body: ResponseBody {
    ResponseBody { writer in
      endpoint.metrics.streamOpened()
      defer {
        endpoint.metrics.streamClosed()
        place.leave()
      }
      let output = Output(writer: writer)
      let began = ContinuousClock.now
      log.debug("A live stream begins.", metadata: ["groups": "\(live.groups.count)"])
      do {
        try await run(output)
        log.info("A live stream ended.", metadata: ["seconds": "\(began.elapsedSeconds)"])
      } catch {
        log.info(
          "A live stream broke off.", metadata: ["seconds": "\(began.elapsedSeconds)", "reason": "\(error)"])
        throw error
      }
      try await writer.finish(nil)
    }
  }

  /// Returns when the stream ended in good order.
  private func run(_ output: Output) async throws {
    let pipe = EventPipe()
    let isShuttingDown = Lock(false)
    let heartbeat = StreamHeartbeat(
      heartbeat: endpoint.configuration.heartbeat, stallTimeout: endpoint.configuration.stallTimeout)
    try await withGracefulShutdownHandler {
      try await requestBody.consumeWithInboundCloseHandler { _ in
        try await withThrowingTaskGroup(of: Part.self) { group in
          group.addTask {
            var output = output
            let gzip = isCompressed ? GzipWriter(.stream) : nil
            while let chunk = await pipe.next() {
              try await heartbeat.write(gzip?.write(chunk) ?? chunk, to: &output, connection)
            }
            let farewell =
              isShuttingDown.withLock { $0 } ? EventFrame.retry(after: Self.returnDelay()) : ByteBuffer()
            let last = gzip?.finish(farewell) ?? farewell
            if last.readableBytes > 0 { try await heartbeat.write(last, to: &output, connection) }
            return .writer
          }
          group.addTask {
            // What was taken is still written: only the pipe ends.
            defer { pipe.finish() }
            try await produce(into: pipe)
            return .producer
          }
          group.addTask {
            try await heartbeat.keep(pipe)
            return .heartbeat
          }
          if let expires = caller.user?.expires {
            group.addTask {
              try await Self.wait(until: expires)
              throw ProtocolError(.unauthorized, "The token has expired.")
            }
          }
          var failure: (any Error)?
          while let result = await group.nextResult() {
            switch result {
            case .success(.writer): group.cancelAll()
            case .success, .failure(is CancellationError): break
            case .failure(let error):
              failure = failure ?? error
              group.cancelAll()
            }
            if case .success(.producer) = result { continue }
            pipe.finish()
          }
          if let failure { throw failure }
        }
      } onInboundClosed: {
        pipe.finish()
      }
    } onGracefulShutdown: {
      isShuttingDown.withLock { $0 = true }
      pipe.finish()
    }
    try Task.checkCancellation()
  }

  /// Looks at the clock again every hour, since it may have been set; and a date may be further away than a sleep can be long.
  private static func wait(until date: Date) async throws {
    while case let seconds = date.timeIntervalSinceNow, seconds > 0 {
      try await ContinuousClock().sleep(for: .seconds(min(seconds, 3600)))
    }
  }

  /// When a client is to come back after a shutdown: not all of them at once.
  private static func returnDelay() -> Duration { .milliseconds(Int.random(in: 500...5000)) }

  private enum Part { case writer, producer, heartbeat }

  private func produce(into pipe: EventPipe) async throws {
    let caller = caller
    let access = StreamAccess(endpoint.access, caller)
    let pageBytes = endpoint.configuration.serverLimits.livePageBytes
    try await endpoint.authority.follow(live, pageBytes: pageBytes, admits: access.admits) { event in
      switch event {
      case .opened: try await pipe.send(EventFrame.opening)
      case .page(let shared):
        endpoint.metrics.pulled(shared.page)
        try await pipe.send(try EventFrame.page(shared, for: caller.user?.name))
      case .revoked(let group): try await pipe.send(try EventFrame.revoked(group: group))
      }
    }
  }
}

/// The connection's writer, on its way to a child task. It cannot stay in the parent: a write to a reader that takes
/// nothing ends only when its task is cancelled, which closes the connection, and a task group cannot cancel its parent.
struct Output: @unchecked Sendable {
  // Unchecked, because Hummingbird's writer is not sendable. Sound, because one child task uses it, and the parent touches
  // it only once that task has ended.
  var writer: any ResponseBodyWriter
}

extension ContinuousClock.Instant {
  fileprivate var elapsedSeconds: Double { ((ContinuousClock.now - self) / .seconds(1) * 10).rounded() / 10 }
}
