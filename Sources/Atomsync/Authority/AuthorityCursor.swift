package import AtomsyncCore
internal import Foundation

extension Authority {
  /// The group whose changes a cursor counts; `nil` when it is not a cursor of this protocol version.
  package static func group(of cursor: Cursor) -> String? { AuthorityCursor(cursor)?.group }
}

/// What an authority writes into a ``Cursor``, and reads back when the client returns it.
///
/// The text is `1.<store identity>.<sequence>.<began>.<group, percent-encoded>`.
struct AuthorityCursor: Equatable {
  var identity: UUID
  var group: String
  /// Everything up to here has been answered.
  var sequence: Int64
  /// During a first pull: the group's counter when it began. Tombstones up to here are left out.
  /// Once `sequence` has reached it, the cursor is an ordinary one.
  var began: Int64

  init(identity: UUID, group: String, sequence: Int64, began: Int64) {
    self.identity = identity
    self.group = group
    self.sequence = sequence
    self.began = began
  }

  /// `nil` when the text is not a cursor of this protocol version.
  init?(_ cursor: Cursor) {
    let parts = cursor.text.split(separator: ".", maxSplits: 4, omittingEmptySubsequences: false)
    guard parts.count == 5, parts[0] == "1",
      let identity = UUID(uuidString: String(parts[1])),
      let sequence = Int64(parts[2]), (0..<Int64.max).contains(sequence),  // one more must exist
      let began = Int64(parts[3]), began >= 0,
      let group = String(parts[4]).removingPercentEncoding, !group.isEmpty
    else { return nil }
    self.init(identity: identity, group: group, sequence: sequence, began: began)
  }

  var cursor: Cursor {
    let name = group.addingPercentEncoding(withAllowedCharacters: Self.plain) ?? ""
    return Cursor("1.\(identity.uuidString.lowercased()).\(sequence).\(began).\(name)")
  }

  private static let plain = CharacterSet(
    charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

  var isFirstPull: Bool { sequence < began }

  /// Whether what follows the cursor is all there, as the group stands now.
  func canContinue(_ head: GroupHead) -> Bool {
    // A first pull misses nothing by a purge of tombstones that it would leave out anyway.
    let oldestNeeded = max(sequence, began)
    return oldestNeeded <= head.counter && oldestNeeded >= head.horizon
  }
}
