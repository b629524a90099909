/// Carries messages between a replica and its authority: the seam under syncing.
///
/// ## Behavior
/// - A transport never retries and never reorders what it was given one call at a time; the replica decides
///   when to try again.
/// - Every call ends: with an answer, with a ``TransportError``, or by cancellation of its task. A pull or push tells
///   its progress, so that the caller can tell a slow transfer from one that has stopped, and cancel that.
/// - When ``push(_:)`` throws, the push may or may not have happened, unless the error's code says that the
///   authority refused it.
/// - All methods may be called concurrently.
public protocol Transport: Sendable {
  /// Asks for one page.
  ///
  /// - Parameters:
  ///   - request: what is asked or sent.
  ///   - progress: to be called whenever a part of the request or the answer has passed.
  func pull(
    _ request: PullRequest, progress: @escaping @Sendable () -> Void
  ) async throws -> PullPage

  /// Sends edits and answers the verdicts.
  ///
  /// - Parameters:
  ///   - request: what is asked or sent.
  ///   - progress: to be called whenever a part of the request or the answer has passed.
  func push(
    _ request: PushRequest, progress: @escaping @Sendable () -> Void
  ) async throws -> PushAnswer

  /// Follows groups: calls `receive` first with ``LiveEvent/opened``, then with each page, in order, waiting for
  /// it to return before it reads on.
  ///
  /// Returns when the authority ended the stream in good order; throws what `receive` throws, a
  /// ``TransportError``, or `CancellationError`. A stream that stays silent beyond its heartbeat is dead and
  /// throws ``TransportError/Code/timedOut``.
  func live(
    _ request: LiveRequest, receive: @escaping @Sendable (LiveEvent) async throws -> Void
  ) async throws

  /// Lets go of connections. Calls in progress end with an error.
  func close() async
}

extension Transport {
  /// Asks for one page.
  public func pull(_ request: PullRequest) async throws -> PullPage { try await pull(request) {} }

  /// Sends edits and answers the verdicts.
  public func push(_ request: PushRequest) async throws -> PushAnswer { try await push(request) {} }
}

/// The groups to follow, each from its own place.
public struct LiveRequest: Sendable, Hashable {
  /// For each group, where to begin and how long its pages may be.
  public var groups: [PullRequest]

  /// A request to follow these groups.
  public init(groups: [PullRequest]) { self.groups = groups }
}

/// What a live stream tells.
public enum LiveEvent: Sendable, Hashable {
  /// The authority answered; pages follow as they are committed.
  case opened
  /// What a pull from the group's cursor would answer.
  case page(PullPage)
  /// The permission to read this group was withdrawn; no more pages of it follow.
  case revoked(group: String)
}
