internal import AtomsyncCore

/// Pages that several live readers ask for from the same place: read once, by the first of them.
///
/// A page is of its group's generation, which rises with every commit before the readers are told of it. So nobody is given a page
/// that was read before a commit that they were told of.
final class PageCache: Sendable {
  struct Key: Hashable {
    var group: String
    /// `nil` for the beginning.
    var cursor: String?
    var limit: Int?
    var bytes: Int
    var generation: Int
  }

  private struct Entry {
    var page: Task<SharedPage, any Error>
    var began: MonotonicTime
  }

  private struct State {
    var pages: [Key: Entry] = [:]
    /// The oldest first.
    var order: [Key] = []
  }

  private let state = Lock(State())

  /// How many pages are kept. With ``SharedPage``'s bounds they and their bytes take 20 MiB at most.
  private static let most = 32
  /// A page of more bytes is shared by those who wait for it, and not kept.
  private static let mostBytes = 128 << 10
  /// How long a page is handed out. Readers at the same place come within moments of each other; a store that is put back
  /// under a running server is not told of, and must not live on here.
  static let validity = Duration.seconds(1)

  /// The page, read by whoever asks first.
  nonisolated(nonsending) func page(
    _ key: Key, now: MonotonicTime = .now, _ read: @escaping @Sendable () async throws -> PullPage
  ) async throws -> SharedPage {
    let task = state.withLock { state in
      if let entry = state.pages[key] {
        if now - entry.began < Self.validity { return entry.page }
      } else {
        state.order.append(key)
        if state.order.count > Self.most { state.pages[state.order.removeFirst()] = nil }
      }
      let task = Task { SharedPage(try await read()) }
      state.pages[key] = Entry(page: task, began: now)
      return task
    }
    // What failed is not tried again within the moment: the streams that it ends come back later than that.
    let shared = try await task.value
    if shared.byteCount > Self.mostBytes { state.withLock { $0.pages[key] = nil } }
    return shared
  }
}
