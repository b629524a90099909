package import AtomsyncCore

/// The keys of one atom: one row for each document and concern, so that a change writes what it touches.
package struct ReplicaKeys: Sendable {
  private let atom: String
  // Kept, because a key is made for each row that is written.
  private let bases: TupleKey
  private let pendings: TupleKey
  private let verdicts: TupleKey

  package init(atom: String) {
    self.atom = atom
    bases = TupleKey(.base).appending(atom)
    pendings = TupleKey(.pending).appending(atom)
    verdicts = TupleKey(.verdict).appending(atom)
  }

  var atomRow: [UInt8] { TupleKey(.atom).appending(atom).bytes }
  var inFlight: [UInt8] { TupleKey(.inFlight).appending(atom).bytes }
  // Where store format 1 had these two.
  var formerAtomRow: [UInt8] { TupleKey(.formerAtom).appending(atom).bytes }
  var formerInFlight: [UInt8] { TupleKey(.formerInFlight).appending(atom).bytes }

  func base(_ id: String) -> [UInt8] { bases.appending(id).bytes }
  func pending(_ id: String) -> [UInt8] { pendings.appending(id).bytes }
  func rejected(_ id: String) -> [UInt8] { TupleKey(.rejected).appending(atom).appending(id).bytes }
  func conflict(_ number: Int64) -> [UInt8] { TupleKey(.conflict).appending(atom).appending(number).bytes }
  func verdict(_ id: String, _ edit: Int64) -> [UInt8] { verdicts.appending(id).appending(edit).bytes }

  /// The verdicts on a document's edits from `edit` on.
  package func verdicts(_ id: String, from edit: Int64) -> KeyRange {
    let prefix = verdicts.appending(id).bytes
    return KeyRange(from: verdict(id, edit), to: KeyRange.successor(ofPrefix: prefix))
  }

  /// All rows of one kind.
  package func all(_ space: Space) -> KeyRange { KeyRange(prefix: TupleKey(space).appending(atom).bytes) }

  /// The document that one of this atom's rows is of, of any kind that has one.
  package func id(in key: [UInt8]) -> String? { TupleKey.text(in: key, after: bases.bytes.count) }
}
