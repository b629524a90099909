/// Work that would hold up the other connections of an event loop.
enum OffLoop {
  /// What so many bytes take, a few milliseconds, others can wait for.
  static let shortBytes = 256 << 10
  /// As many documents take about as long.
  static let shortDocuments = 1000

  /// Runs `body` on the threads that all tasks share, if it is long.
  ///
  /// It is concurrent because what is not stays on the thread that calls it.
  static func run<Result: Sendable>(
    if isLong: Bool, _ body: @concurrent @Sendable () async throws -> Result
  ) async throws -> Result {
    if !isLong { return try await body() }
    return try await withTaskExecutorPreference(globalConcurrentExecutor) { try await body() }
  }
}
