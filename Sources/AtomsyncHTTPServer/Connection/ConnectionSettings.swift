/// What every connection of a listener has in common.
struct ConnectionSettings: Sendable {
  let limits: ServerLimits
  let idleTimeout: Duration
  let respond: RequestHandler.Responder

  func requestHandler(
    _ executor: LoopExecutor, _ chunks: ChunkOutput? = nil, isQuiescing: Bool = false
  ) -> RequestHandler {
    RequestHandler(
      executor, chunks, idleTimeout: idleTimeout, isQuiescing: isQuiescing, respond: respond)
  }
}
