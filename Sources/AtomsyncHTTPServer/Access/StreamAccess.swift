internal import AtomsyncCore

/// What the caller of a live stream may read, looked at as often as it has to be.
final class StreamAccess: Sendable {
  private struct State {
    var caller: Caller
    var generation: Int
  }

  private let access: AccessController
  private let state: Lock<State>

  /// How long what an authenticator has said is taken to hold.
  private static let validity = Duration.seconds(60)

  init(_ access: AccessController, _ caller: Caller) {
    self.access = access
    // Whatever has changed since the caller was let in is looked at with the first page.
    state = Lock(State(caller: caller, generation: -1))
  }

  /// Whether the group may still be read.
  ///
  /// - Throws: `ProtocolError` with `unauthorized` when the caller has to authenticate again; what the authenticator throws.
  func admits(_ group: String) async throws -> Bool {
    let (generation, last) = (access.generation, state.withLock { $0 })
    if generation == last.generation && !needsRenewal(last.caller) {
      return last.caller.user?.includes(group: group) ?? true
    }
    guard let caller = try await access.current(last.caller) else { return false }
    state.withLock { $0 = State(caller: caller, generation: generation) }
    return caller.user?.includes(group: group) ?? true
  }

  private func needsRenewal(_ caller: Caller) -> Bool {
    if case .authenticator = caller.origin {
      MonotonicTime.now - caller.since >= Self.validity
    } else {
      false
    }
  }
}
