package import AtomsyncCore
package import Foundation

/// How an authority's documents lie in a store.
///
/// The values are in the change index, by sequence, so that a pull is one scan; the document index says where, and what
/// is needed to judge a push.
package enum AuthorityKey {
  /// When somebody last looked for what can be purged.
  static let purge = TupleKey(.header).appending("purge").bytes

  /// The epoch of one authority process.
  package static func epoch(_ id: UUID) -> [UInt8] { TupleKey(.epoch).appending(id.uuidString).bytes }
  package static let epochs = KeyRange(prefix: TupleKey(.epoch).bytes)

  package static func head(_ group: String) -> [UInt8] { TupleKey(.group).appending(group).bytes }
  static let heads = KeyRange(prefix: TupleKey(.group).bytes)

  /// The heads of the groups that are meant by an exact name, or by a prefix followed by `*`.
  static func heads(_ pattern: String) -> KeyRange {
    let isPrefix = pattern.utf8.last == UInt8(ascii: "*")
    let head = head(isPrefix ? String(pattern.dropLast()) : pattern)
    return KeyRange(prefix: isPrefix ? Array(head.dropLast()) : head)
  }

  static func document(_ group: String, _ id: String) -> [UInt8] {
    TupleKey(.document).appending(group).appending(id).bytes
  }

  static func documents(_ group: String) -> KeyRange {
    KeyRange(prefix: TupleKey(.document).appending(group).bytes)
  }

  package static func change(_ group: String, _ sequence: Int64) -> [UInt8] {
    TupleKey(.change).appending(group).appending(sequence).bytes
  }

  /// The changes of a group whose sequence is greater than `sequence`. (`sequence` < `Int64.max`)
  package static func changes(_ group: String, after sequence: Int64) -> KeyRange {
    let prefix = TupleKey(.change).appending(group).bytes
    return KeyRange(from: change(group, sequence + 1), to: KeyRange.successor(ofPrefix: prefix))
  }

  /// Where an earlier epoch of a group ended.
  package static func epochEnd(_ group: String, _ epoch: UUID) -> [UInt8] {
    TupleKey(.epochEnd).appending(group).appending(epoch.uuidString).bytes
  }

  /// The ends of all epochs and groups.
  package static let epochEnds = KeyRange(prefix: TupleKey(.epochEnd).bytes)

  /// The record of a client's last push. Clients of two users never share one, whatever they call themselves.
  package static func push(_ group: String, _ client: UUID, user: String?) -> [UInt8] {
    TupleKey(.push).appending(group).appending(client.uuidString).appending(user ?? "").bytes
  }

  /// The records of all clients and groups.
  package static let pushes = KeyRange(prefix: TupleKey(.push).bytes)
}
