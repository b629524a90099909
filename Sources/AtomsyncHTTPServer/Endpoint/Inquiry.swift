internal import AtomsyncCore

/// What somebody asks beside the protocol's own requests, and what they may see.
package struct Inquiry: Sendable {
  package let parameters: QueryParameters
  let caller: Caller

  /// The groups that the caller may read: exact names, or a prefix followed by `*`.
  package var groups: [String] { caller.user?.groups ?? ["*"] }

  /// - Throws: `ProtocolError` with `forbidden`.
  package func check(group: String) throws { try caller.check(group: group) }

  /// Whether the caller may read every group: it is somebody who runs the server, or the server asks nobody.
  package var mayReadEverything: Bool { groups.contains("*") }
}
