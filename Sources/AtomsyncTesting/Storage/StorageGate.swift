internal import AtomsyncCore

/// A gate that calls pass through, one that a test shuts and opens: how a storage turns slow without a clock.
public final class StorageGate: Sendable {
  private struct State {
    var isOpen = true
    var held: [CheckedContinuation<Void, Never>] = []
    var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }
  private let state = Lock(State())

  /// A gate that is open.
  public init() {}

  /// From now on, calls wait at the gate.
  public func shut() { state.withLock { $0.isOpen = false } }

  /// Lets everything through that waits, in the order in which it came, and whatever comes.
  public func open() {
    let held = state.withLock { state in
      state.isOpen = true
      defer { state.held = [] }
      return state.held
    }
    for continuation in held { continuation.resume() }
  }

  /// Lets the one through that has waited longest. The gate stays shut. False if nothing waits.
  @discardableResult
  public func openForOne() -> Bool {
    let first = state.withLock { $0.held.isEmpty ? nil : $0.held.removeFirst() }
    first?.resume()
    return first != nil
  }

  /// How many calls wait.
  public var waiting: Int { state.withLock { $0.held.count } }

  /// Returns once at least `count` calls wait at the gate. Cancellation does not end it.
  public func holds(_ count: Int) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.held.count < count { state.watchers.append((count, continuation)) }
        return state.held.count >= count
      }
      if isThere { continuation.resume() }
    }
  }

  /// Returns when the gate lets the caller through. Cancellation does not: a disk does not know of tasks.
  public func pass() async {
    await withCheckedContinuation { continuation in
      let ready: [CheckedContinuation<Void, Never>] = state.withLock { state in
        if state.isOpen { return [continuation] }
        state.held.append(continuation)
        let count = state.held.count
        defer { state.watchers.removeAll { $0.count <= count } }
        return state.watchers.filter { $0.count <= count }.map(\.continuation)
      }
      for continuation in ready { continuation.resume() }
    }
  }
}
