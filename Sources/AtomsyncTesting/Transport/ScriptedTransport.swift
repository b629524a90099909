public import AtomsyncCore

/// A transport whose faults a ``TransportScript`` decides: for testing how an application fares on a bad network.
///
/// Several transports may follow one script, as when an atom is closed and opened again.
public final class ScriptedTransport: Transport {
  private let script: TransportScript
  private let base: any Transport

  /// Hands calls on to `base`, with the faults that `script` decides.
  public init(_ script: TransportScript, over base: any Transport) {
    self.script = script
    self.base = base
  }

  /// Asks for one page, with the fault that the script has for it.
  public func pull(
    _ request: PullRequest, progress: @escaping @Sendable () -> Void
  ) async throws -> PullPage {
    script.note(request)
    return try await through(
      script.fault(.pull), { [base] in try await base.pull(request, progress: progress) }, Self.garbage)
  }

  /// Sends edits, with the fault that the script has for it.
  public func push(
    _ request: PushRequest, progress: @escaping @Sendable () -> Void
  ) async throws -> PushAnswer {
    script.note(request)
    return try await through(
      script.fault(.push), { [base] in try await base.push(request, progress: progress) }, Self.garbage)
  }

  /// Follows groups, with the fault that the script has for it, until the script cuts the stream.
  public func live(
    _ request: LiveRequest, receive: @escaping @Sendable (LiveEvent) async throws -> Void
  ) async throws {
    let fault = script.fault(.live)
    if case .garbage = fault {
      return try await follow(request) { event in
        if case .page(let page) = event {
          try await receive(.page(Self.garbage(page)))
        } else {
          try await receive(event)
        }
      }
    }
    try await through(fault, { try await self.follow(request, receive) }, { $0 })
  }

  /// Closes the transport below.
  public func close() async { await base.close() }

  private func through<Answer: Sendable>(
    _ fault: TransportScript.Fault?, _ send: @escaping @Sendable () async throws -> Answer,
    _ garbled: (Answer) -> Answer
  ) async throws -> Answer {
    switch fault {
    case nil: return try await send()
    case .dropRequest: throw TransportError(.unreachable, "The request was dropped, as the test asked.")
    case .dropAnswer:
      _ = try await send()
      throw TransportError(.timedOut, "The answer was dropped, as the test asked.")
    case .delayRequest(let delay):
      try await delay.pass()
      return try await send()
    case .delayAnswer(let delay):
      let answer = try await send()
      try await delay.pass()
      return answer
    case .duplicate:
      let answer = try await send()
      _ = try await send()
      return answer
    case .repeatLater(let delay):
      let answer = try await send()
      Task { [script] in
        try await delay.pass()
        _ = try? await send()
        script.noteLateRepeat()
      }
      return answer
    case .silence:
      try await Promise<Void>().wait()
      throw CancellationError()
    case .garbage: return garbled(try await send())
    case .fail(let error): throw error
    }
  }

  /// Follows until the stream ends by itself, or the script cuts it.
  private func follow(
    _ request: LiveRequest, _ receive: @escaping @Sendable (LiveEvent) async throws -> Void
  ) async throws {
    let stream = TransportStream()
    let number = script.open(stream)
    defer { script.close(number) }
    try await withThrowingTaskGroup(of: Void.self) { [base] group in
      defer { group.cancelAll() }
      group.addTask {
        try await base.live(request) { event in
          try await stream.passUnlessSilent()
          try await receive(event)
        }
      }
      group.addTask { try await stream.waitForCut() }
      try await group.next()
    }
  }

  /// A page whose first document holds what is no Transit.
  private static func garbage(_ page: PullPage) -> PullPage {
    var page = page
    let content = Content.value(Payload(bytes: [0xC1]))
    if page.documents.isEmpty {
      page.documents = [Document(id: "garbage", version: 1, updated: 0, content: content)]
    } else {
      page.documents[0].content = content
    }
    return page
  }

  /// An answer without a verdict.
  private static func garbage(_ answer: PushAnswer) -> PushAnswer {
    PushAnswer(group: answer.group, accepted: [], rejected: [], now: answer.now)
  }
}

extension TransportProvider {
  /// `base`, with the faults that `script` decides.
  public static func scripted(_ script: TransportScript, over base: TransportProvider) -> TransportProvider {
    TransportProvider("\(base.description), scripted") { codec in
      ScriptedTransport(script, over: try await base.open(codec: codec))
    }
  }
}

/// One live stream, as the script sees it.
final class TransportStream: Sendable {
  private let end = Promise<Void>()
  private let isSilent = Lock(false)

  func cut(_ error: TransportError?) { end.complete(error.map { .failure($0) } ?? .success(())) }

  func silence() { isSilent.withLock { $0 = true } }

  func passUnlessSilent() async throws {
    if isSilent.withLock({ $0 }) { try await Promise<Void>().wait() }
  }

  func waitForCut() async throws { try await end.wait() }
}
