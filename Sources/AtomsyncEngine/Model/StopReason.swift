/// Why a replica does not talk to its server any more.
public enum StopReason: Sendable, Hashable {
  /// The atom was closed.
  case closed
  /// The store was closed underneath, so that nothing can be saved any more. Open the client again.
  case storeLost
  /// The token belongs to `actual`, the atom's content to `expected`. Open the atom for the other user under a name
  /// of its own.
  case wrongUser(expected: String, actual: String)
}
