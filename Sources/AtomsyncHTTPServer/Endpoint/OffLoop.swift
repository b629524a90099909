/// Work that would hold up the other connections of an event loop.
enum OffLoop {
  /// Up to so many bytes take a few milliseconds, which others can wait for.
  static let shortBytes = 256 << 10
  /// So do up to so many documents.
  static let shortDocuments = 1000

  /// Runs `body` on the threads that all tasks share.
  ///
  /// - Parameter body: `@concurrent`, since an async function that is not stays on the thread that calls it.
  static func run<Result: Sendable>(
    _ body: @concurrent @Sendable () async throws -> Result
  ) async throws -> Result {
    try await withTaskExecutorPreference(globalConcurrentExecutor) { try await body() }
  }
}
