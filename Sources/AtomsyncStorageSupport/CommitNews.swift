public import AtomsyncCore

/// Tells of commits whoever has asked for them, for a storage that hears of them as they happen: what its
/// `foreignCommits()` answers.
public final class CommitNews: Sendable {
  private struct State {
    var streams: [Int: AsyncStream<ForeignCommit>.Continuation] = [:]
    var last = 0
    var isFinished = false
  }
  private let state = Lock(State())

  /// Tells nobody yet.
  public init() {}

  /// A stream of what is told from now on. What comes while nobody takes it becomes one element.
  ///
  /// - Parameter first: an element that is there at once.
  public func stream(first: ForeignCommit? = nil) -> AsyncStream<ForeignCommit> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: ForeignCommit.self, bufferingPolicy: .bufferingNewest(1))
    if let first { continuation.yield(first) }
    let number = state.withLock { state -> Int? in
      if state.isFinished { return nil }
      state.last += 1
      state.streams[state.last] = continuation
      return state.last
    }
    if let number {
      continuation.onTermination = { [weak self] _ in self?.state.withLock { $0.streams[number] = nil } }
    } else {
      continuation.finish()
    }
    return stream
  }

  /// Tells of a commit. O(streams)
  public func add(_ commit: ForeignCommit) {
    for stream in state.withLock({ Array($0.streams.values) }) {
      var news = commit
      // What gave way to it is told with it.
      while case .dropped(let old) = stream.yield(news), !news.includes(old) { news.formUnion(old) }
    }
  }

  /// Ends all streams, and those that follow at once.
  public func finish() {
    let streams = state.withLock { state in
      state.isFinished = true
      defer { state.streams = [:] }
      return Array(state.streams.values)
    }
    for stream in streams { stream.finish() }
  }
}

extension ForeignCommit {
  fileprivate func includes(_ other: ForeignCommit) -> Bool {
    guard let topics else { return true }
    return other.topics.map(topics.isSuperset(of:)) ?? false
  }

  fileprivate mutating func formUnion(_ other: ForeignCommit) {
    if let own = other.topics { topics?.formUnion(own) } else { topics = nil }
  }
}
