public import AtomsyncCore

/// What goes wrong on the way to the server, as a test wishes; for ``ScriptedTransport``.
///
/// ```swift
/// let network = TransportScript()
/// let todos = try await client.atom("todo", transport: .scripted(network, over: .loopback(authority)))
/// network.plan(.dropAnswer, on: .push)  // the server takes it, and nobody hears of it
/// try todos.swap { $0["a"] = "milk" }
/// ```
///
/// ## Behavior
/// - Planned faults happen to the next calls of their kind, in the order of planning, each once. Then the fault for
///   all calls applies, if there is one, and only while ``isOnline`` is true does a call reach the server.
/// - Nothing sleeps: what is delayed waits until the test releases it, what is silent until it is cancelled.
public final class TransportScript: Sendable {
  /// What a fault can happen to.
  public enum Call: Sendable, Hashable {
    /// A request for one page.
    case pull
    /// A push of edits.
    case push
    /// A live stream.
    case live
  }

  /// Of a live stream, `dropRequest`, `silence` and `fail` happen to its opening; for one that is open there are
  /// ``cutLive(_:)`` and ``silenceLive()``.
  public enum Fault: Sendable {
    /// The request never arrives.
    case dropRequest
    /// The request arrives, and its answer does not come back.
    case dropAnswer
    /// The request waits for ``Delay/release()`` before it goes its way.
    case delayRequest(Delay)
    /// The request arrives, its answer waits for ``Delay/release()``.
    case delayAnswer(Delay)
    /// The request arrives twice, one after the other; the first answer comes back.
    case duplicate
    /// The request arrives and is answered, and arrives once more after ``Delay/release()``, behind what was sent
    /// since: the one way in which the requests of a replica, which makes one at a time, can be reordered.
    case repeatLater(Delay)
    /// The connection is half open: the request never arrives, no answer comes, no error either.
    case silence
    /// The answer is not what it should be: a page whose first value is no Transit, verdicts on nothing. On a live
    /// stream, every page is such a page.
    case garbage
    /// The server refuses.
    case fail(TransportError)

    /// 503, or another 5xx.
    public static let unavailable = Fault.fail(TransportError(.unavailable, "503, as the test asked."))
    /// 401
    public static let unauthorized = Fault.fail(TransportError(.unauthorized, "401, as the test asked."))
    /// 403
    public static let forbidden = Fault.fail(TransportError(.forbidden, "403, as the test asked."))
    /// 413
    public static let tooLarge = Fault.fail(TransportError(.tooLarge, "413, as the test asked."))
  }

  private struct State {
    var planned: [Call: [Fault]] = [:]
    var always: [Call: Fault] = [:]
    var isOnline = true
    var pulls: [PullRequest] = []
    var pushes: [PushRequest] = []
    var streams: [Int: TransportStream] = [:]
    var nextStream = 0
    var lateRepeats = 0
  }
  private let state = Lock(State())

  /// A network without faults.
  public init() {}

  /// Has `fault` happen to the next call of this kind that nothing is planned for.
  public func plan(_ fault: Fault, on call: Call) {
    state.withLock { $0.planned[call, default: []].append(fault) }
  }

  /// Has `fault` happen to every call of this kind that nothing is planned for; `nil` ends it.
  public func always(_ fault: Fault?, on call: Call) { state.withLock { $0.always[call] = fault } }

  /// While false, nothing gets through. Turning it off cuts live streams.
  public var isOnline: Bool {
    get { state.withLock { $0.isOnline } }
    set {
      state.withLock { $0.isOnline = newValue }
      if !newValue { cutLive() }
    }
  }

  /// Ends every live stream; without an error, as a server does that goes away in good order.
  public func cutLive(
    _ error: TransportError? = TransportError(.unreachable, "The stream was cut, as the test asked.")
  ) {
    for stream in state.withLock({ Array($0.streams.values) }) { stream.cut(error) }
  }

  /// Every live stream becomes half open: no more pages come through, and nobody is told.
  public func silenceLive() {
    for stream in state.withLock({ Array($0.streams.values) }) { stream.silence() }
  }

  /// How many live streams there are.
  public var liveCount: Int { state.withLock { $0.streams.count } }

  /// The pulls that were asked for, in order, whatever became of them.
  public var pulls: [PullRequest] { state.withLock { $0.pulls } }
  /// The pushes that were asked for, in order, whatever became of them.
  public var pushes: [PushRequest] { state.withLock { $0.pushes } }

  /// How many requests have arrived once more, after ``Fault/repeatLater(_:)``, and been answered to nobody.
  public var lateRepeats: Int { state.withLock { $0.lateRepeats } }

  // MARK: What a transport asks

  func noteLateRepeat() { state.withLock { $0.lateRepeats += 1 } }

  func note(_ request: PullRequest) { state.withLock { $0.pulls.append(request) } }
  func note(_ request: PushRequest) { state.withLock { $0.pushes.append(request) } }

  func fault(_ call: Call) -> Fault? {
    state.withLock { state in
      if var planned = state.planned[call], !planned.isEmpty {
        let fault = planned.removeFirst()
        state.planned[call] = planned
        return fault
      }
      if !state.isOnline { return .fail(Self.offline) }
      return state.always[call]
    }
  }

  func open(_ stream: TransportStream) -> Int {
    let (number, isOnline) = state.withLock { state in
      state.nextStream += 1
      state.streams[state.nextStream] = stream
      return (state.nextStream, state.isOnline)
    }
    if !isOnline { stream.cut(Self.offline) }
    return number
  }

  private static let offline = TransportError(.unreachable, "The network is off, as the test asked.")

  func close(_ number: Int) { state.withLock { _ = $0.streams.removeValue(forKey: number) } }
}

/// Holds one request or answer up until the test lets it go.
public final class Delay: Sendable {
  private let arrival = Promise<Void>()
  private let departure = Promise<Void>()

  /// A delay that lasts until ``release()``.
  public init() {}

  /// Returns once the call waits here.
  ///
  /// - Throws: `CancellationError`.
  public func reached() async throws { try await arrival.wait() }

  /// Lets the call go on, now or as soon as it comes.
  public func release() { departure.complete(.success(())) }

  func pass() async throws {
    arrival.complete(.success(()))
    try await departure.wait()
  }
}
