/// What every connection of a listener has in common.
struct ConnectionSettings: Sendable {
  let limits: ServerLimits
  let idleTimeout: Duration
  let respond: RequestHandler.Responder

  func requestHandler(_ executor: LoopExecutor, _ chunks: ChunkOutput? = nil) -> RequestHandler {
    RequestHandler(executor, chunks, idleTimeout: idleTimeout, respond: respond)
  }
}
