internal import AtomsyncCore

/// Up to so many values of one kind, each confined to a queue of its own. What is run goes to one that is free, which is made
/// when there is none.
public final class ConfinedPool<Value>: Sendable {
  /// Makes one of the values. It runs on the value's own queue, and may block.
  public typealias Make = @Sendable () throws -> sending Value

  private struct State {
    var members: [QueueConfined<Value>]
    /// How much waits for each or is under way.
    var load = [0]
    /// How many are being made.
    var opening = 0
    /// Who waits until none is being made any more.
    var closers: [CheckedContinuation<Void, Never>] = []
    /// Makes another one; `nil` once the pool is closed, so that what it knows is let go of as well.
    var make: Make?

    /// The place of the one with the least to do.
    var freest: Int { load.indices.min { load[$0] < load[$1] } ?? 0 }

    mutating func takeFreest() -> (Int, QueueConfined<Value>) {
      let place = freest
      load[place] += 1
      return (place, members[place])
    }
  }

  private let state: Lock<State>
  private let size: Int
  private let label: String

  /// - Parameters:
  ///   - first: the value that is there from the beginning.
  ///   - size: how many values there may be.
  ///   - label: of the queues, for debuggers.
  ///   - make: makes another one. What it throws is not an error: the values that there are do the work.
  public init(
    _ first: sending Value, size: Int, label: String, make: @escaping Make
  ) {
    state = Lock(State(members: [QueueConfined(first, on: BlockingQueue(label))], make: make))
    self.size = size
    self.label = label
  }

  /// Runs `body` with one of the values; throws `StorageError.closed` once they are gone.
  public func run<Result: Sendable>(
    _ body: @escaping @Sendable (Value) throws -> Result
  ) async throws -> Result {
    let (place, member) = await take()
    defer { state.withLock { $0.load[place] -= 1 } }
    return try await member.run(body)
  }

  private func take() async -> (place: Int, member: QueueConfined<Value>) {
    let make = state.withLock { state -> Make? in
      guard state.load[state.freest] > 0, state.members.count + state.opening < size else { return nil }
      if state.make != nil { state.opening += 1 }
      return state.make
    }
    guard let make else { return state.withLock { $0.takeFreest() } }
    let queue = BlockingQueue(label)
    let made = try? await queue.run { QueueConfined(try make(), on: queue) }
    let (taken, late) = state.withLock { state in
      guard let made, state.make != nil else { return (state.takeFreest(), made) }
      state.members.append(made)
      state.load.append(1)
      return ((state.members.count - 1, made), nil)
    }
    await late?.close()
    let closers = state.withLock { state in
      state.opening -= 1
      defer { if state.opening == 0 { state.closers = [] } }
      return state.opening == 0 ? state.closers : []
    }
    for closer in closers { closer.resume() }
    return taken
  }

  /// Lets go of the values after everything that was handed over before.
  public func close() async {
    let members = state.withLock { state in
      state.make = nil
      return state.members
    }
    for member in members { await member.close() }
    await withCheckedContinuation { closer in
      let isDone = state.withLock { state in
        if state.opening > 0 { state.closers.append(closer) }
        return state.opening == 0
      }
      if isDone { closer.resume() }
    }
  }
}
