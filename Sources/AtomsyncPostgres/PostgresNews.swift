internal import AtomsyncCore
internal import Foundation

/// What a storage object tells the others of its commits, by `NOTIFY`.
enum PostgresNotification {
  /// A notification has less than 8,000 bytes.
  private static let longest = 7_900

  /// Who tells, and the topics in Base64, since the database may have any encoding; without topics: anything.
  static func text(from storage: String, topics: Set<String>?) -> String {
    let words = topics.map { $0.map { Data($0.utf8).base64EncodedString() } } ?? []
    let text = ([storage] + words).joined(separator: " ")
    return text.utf8.count <= longest ? text : storage
  }

  /// `nil`: it is the storage object's own.
  static func commit(_ text: String, toldTo storage: String) -> ForeignCommit? {
    let words = text.split(separator: " ")
    if words.first.map(String.init) == storage { return nil }
    let topics = words.dropFirst().compactMap { Data(base64Encoded: String($0)) }
      .map { String(decoding: $0, as: UTF8.self) }
    return ForeignCommit(topics: topics.isEmpty ? nil : Set(topics))
  }
}

/// Hands news of commits to the streams that wait for them. What comes while nobody takes it becomes one element.
final class PostgresNews: Sendable {
  private final class Stream: Sendable {
    struct State {
      /// The stream may have missed something before it began.
      var pending: ForeignCommit? = ForeignCommit()
      var waiting: CheckedContinuation<ForeignCommit?, Never>?
      var isFinished = false
    }
    let state = Lock(State())

    func add(_ commit: ForeignCommit) {
      let waiting = state.withLock { state in
        guard let waiting = state.waiting else {
          if let pending = state.pending {
            state.pending?.topics = pending.topics.flatMap { old in commit.topics.map { old.union($0) } }
          } else {
            state.pending = commit
          }
          return nil as CheckedContinuation<ForeignCommit?, Never>?
        }
        state.waiting = nil
        return waiting
      }
      waiting?.resume(returning: commit)
    }

    func finish() {
      let waiting = state.withLock { state in
        state.isFinished = true
        defer { state.waiting = nil }
        return state.waiting
      }
      waiting?.resume(returning: nil)
    }

    func next() async -> ForeignCommit? {
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let ready = state.withLock { state -> ForeignCommit?? in
            if state.isFinished { return .some(nil) }
            if let pending = state.pending {
              state.pending = nil
              return pending
            }
            state.waiting = continuation
            return nil
          }
          if let ready { continuation.resume(returning: ready) }
        }
      } onCancel: {
        finish()
      }
    }
  }

  private let streams = Lock<(all: [Stream], isFinished: Bool)>(([], false))

  func add(_ commit: ForeignCommit) { for stream in streams.withLock({ $0.all }) { stream.add(commit) } }

  func finish() {
    let all = streams.withLock { state in
      state.isFinished = true
      defer { state.all = [] }
      return state.all
    }
    for stream in all { stream.finish() }
  }

  func stream() -> AsyncStream<ForeignCommit> {
    let stream = Stream()
    let isFinished = streams.withLock { state in
      if !state.isFinished { state.all.append(stream) }
      return state.isFinished
    }
    if isFinished { stream.finish() }
    return AsyncStream(unfolding: { await stream.next() }) { [weak self] in
      stream.finish()
      self?.remove(stream)
    }
  }

  private func remove(_ stream: Stream) { streams.withLock { $0.all.removeAll { $0 === stream } } }
}
