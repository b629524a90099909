internal import AtomsyncCore

/// Runs `body`, but for no longer than `patience` of real time: then it is cancelled and left behind, whatever it waits
/// for.
///
/// - Throws: what `body` throws; what `late` makes, when it took too long; `CancellationError`.
func within(
  _ patience: Duration, or late: @escaping @Sendable () -> any Error,
  _ body: @escaping @Sendable () async throws -> Void
) async throws {
  let outcome = Promise<Void>()
  let work = Task {
    do { outcome.complete(.success(try await body())) } catch { outcome.complete(.failure(error)) }
  }
  let watch = Task {
    try await ContinuousClock().sleep(for: patience)
    outcome.complete(.failure(late()))
  }
  defer {
    watch.cancel()
    work.cancel()
  }
  try await outcome.wait()
}
