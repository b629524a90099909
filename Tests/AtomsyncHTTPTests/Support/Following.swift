import AtomsyncCore
import AtomsyncHTTPClient

/// Runs `body` beside a live stream.
func following<Result: Sendable>(
  _ client: HTTPTransport, _ groups: [String], _ body: (inout Events) async throws -> Result
) async throws -> Result {
  try await following(client, groups.map { PullRequest(group: $0) }, body)
}

/// Runs `body` beside a live stream.
func following<Result: Sendable>(
  _ client: HTTPTransport, _ requests: [PullRequest], _ body: (inout Events) async throws -> Result
) async throws -> Result {
  let (stream, continuation) = AsyncStream.makeStream(of: LiveEvent.self)
  let task = Task {
    defer { continuation.finish() }
    try await client.live(LiveRequest(groups: requests)) { continuation.yield($0) }
  }
  defer { task.cancel() }
  var events = Events(iterator: stream.makeAsyncIterator())
  return try await body(&events)
}

/// The events of a live stream, one after the other.
struct Events {
  var iterator: AsyncStream<LiveEvent>.Iterator

  mutating func next() async -> LiveEvent? { await iterator.next() }

  mutating func nextPage() async -> PullPage? {
    if case .page(let page)? = await iterator.next() { page } else { nil }
  }
}
