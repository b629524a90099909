public import AtomsyncCore
public import Transit

/// An application's check of a write, before it is judged. (``Authority/open(_:willAccept:)``)
///
/// ```swift
/// let authority = try await Authority.open(configuration) { write in
///   guard case .map(let todo)? = try write.value else { return .accept }
///   return todo[.keyword("title")] == nil ? .refuse("A todo needs a title.") : .accept
/// }
/// ```
///
/// ## Behavior
/// - It is asked for each write of a push, in order, except those that can never be accepted (an invalid id, a value that is too
///   large). That happens before the push waits for its turn: only its own push waits for it. A write that it accepts may still
///   be rejected as stale.
/// - It is asked again when a client repeats a push. If that was judged already, the verdicts stay what they were.
/// - A write that it refuses is rejected for good, as `invalid` with the given words. The others of its push are judged on their own,
///   unless the push is atomic.
/// - What it throws fails the push, which the client sends again later: nothing was changed.
public typealias WriteValidator = @Sendable (_ write: ProposedWrite) async throws -> WriteDecision

/// What an application says of a write.
public enum WriteDecision: Sendable, Hashable {
  /// The write goes on to be judged by its version.
  case accept
  /// The write is rejected for good.
  ///
  /// - Parameter message: tells the person who made the write what is wrong with it; at most 1 KiB of it is kept.
  case refuse(_ message: String)
}

/// A write that a client asks for.
public struct ProposedWrite: Sendable {
  /// The group's name.
  public let group: String
  /// The document's id.
  public let document: String
  /// The version that the write is based on; 0 for a document that the client takes for new.
  public let version: Int64
  /// Who asks, as the server has authenticated them; `nil` for a server without users.
  public let user: String?
  /// The new content as it is sent.
  public let content: Content

  /// The new value; `nil` when the document is to be deleted. Decoded each time.
  ///
  /// - Throws: `TransitError`: it cannot be read.
  public var value: TransitValue? {
    get throws { try content.payload.map { try TransitValue(transit: $0.bytes, format: .msgpack) } }
  }
}

extension PushRequest {
  /// The documents that are refused, with the words for it.
  func refusals(_ willAccept: WriteValidator, _ limits: Limits) async throws -> [String: String] {
    var refusals: [String: String] = [:]
    for edit in edits where edit.problem(limits) == nil {
      let write = ProposedWrite(
        group: group, document: edit.id, version: edit.version, user: user, content: edit.content)
      if case .refuse(let message) = try await willAccept(write) {
        refusals[edit.id] = message
      }
    }
    return refusals
  }
}
