public import AtomsyncCore
public import AtomsyncEngine

/// Hands messages to an `Authority` in this process.
///
/// With a codec, each message is encoded and decoded on its way, as it would be on the wire.
public final class LoopbackTransport: Transport {
  private let authority: Authority
  private let codec: (any Codec)?
  private let calls = OpenCalls()
  /// What open streams end with. They are not left behind: nothing may be received after the end.
  private let end = Promise<Void>()

  /// Leads to `authority`, which stays the caller's to close.
  ///
  /// - Parameters:
  ///   - authority: which answers the messages.
  ///   - codec: what messages are encoded and decoded with; `nil` to hand them over as they are.
  public init(_ authority: Authority, codec: (any Codec)? = nil) {
    self.authority = authority
    self.codec = codec
  }

  /// Asks the authority for one page. `progress` is never called.
  public func pull(
    _ request: PullRequest, progress: @escaping @Sendable () -> Void
  ) async throws -> PullPage {
    try await translatingErrors {
      try await self.calls.run { try self.coded(try await self.authority.pull(request)) }
    }
  }

  /// Has the authority judge the edits. `progress` is never called.
  public func push(
    _ request: PushRequest, progress: @escaping @Sendable () -> Void
  ) async throws -> PushAnswer {
    try await translatingErrors {
      try await self.calls.run { try self.coded(try await self.authority.push(try self.coded(request))) }
    }
  }

  /// Follows groups until the authority or this transport closes, the task is cancelled, or `receive` throws.
  public func live(
    _ request: LiveRequest, receive: @escaping @Sendable (LiveEvent) async throws -> Void
  ) async throws {
    try await translatingErrors {
      try await withThrowingTaskGroup(of: Void.self) { group in
        defer { group.cancelAll() }
        group.addTask {
          try await self.authority.live(request) { event in
            if case .page(let page) = event {
              try await receive(.page(try self.coded(page)))
            } else {
              try await receive(event)
            }
          }
        }
        group.addTask { try await self.end.wait() }
        try await group.next()
      }
    }
  }

  /// The authority stays open: others may use it.
  public func close() async {
    calls.end(Self.closed)
    end.complete(.failure(Self.closed))
  }

  private static let closed = TransportError(.closed, "The transport is closed.")

  private func coded<Message: WireMessage>(_ message: Message) throws -> Message {
    guard let codec else { return message }
    return try codec.decode(Message.self, from: try codec.encode(message))
  }

  private func translatingErrors<Value: Sendable>(
    _ body: @Sendable () async throws -> Value
  ) async throws -> Value {
    do {
      return try await body()
    } catch let error as ProtocolError {
      throw TransportError(error)
    } catch let error as StorageError {
      throw TransportError(.unavailable, "The authority's store failed.", cause: error.description)
    }
  }
}

extension TransportProvider {
  /// To an authority in this process, through the configuration's codec.
  public static func loopback(_ authority: Authority) -> TransportProvider {
    TransportProvider("loopback") { codec in LoopbackTransport(authority, codec: codec) }
  }
}
