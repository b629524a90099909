internal import AtomsyncCore

/// What a replica remembers of the seal that a document's value came in.
package struct Seal: Hashable, Sendable {
  /// The key that sealed the value; `nil` for a deletion, which nobody seals.
  var key: KeyID?
  /// Tells a document from an earlier one of the same id: the first eight bytes of the nonce of the value that created it, most
  /// significant first. 0: not known, because the value's writer did not know it, or it could not be opened.
  ///
  /// Each later value of the document names it, so that whoever has seen any of them knows the creating one when it is
  /// shown again as if it were new.
  var lineage: UInt64
  /// The lineages of earlier documents of the same id, newest first, as many as are remembered.
  var former: [UInt64] = []
  /// The version that the value was made on; 0 when it created the document. Not stored.
  var madeOn: Int64 = 0
  /// The atom's age when the deletion came, in milliseconds: deletions are remembered for a while.
  var buried: Int64?
  /// The version that the document had when it was forgotten: what is older was put back.
  var height: Int64?

  init(key: KeyID?, lineage: UInt64, former: [UInt64] = [], madeOn: Int64 = 0, buried: Int64? = nil) {
    self.key = key
    self.lineage = lineage
    self.former = former
    self.madeOn = madeOn
    self.buried = buried
  }

  private static let formerLineages = 8

  /// Whether a value of this lineage was seen.
  func hasSeen(_ lineage: UInt64) -> Bool {
    lineage != 0 && (lineage == self.lineage || former.contains(lineage))
  }

  /// The same seal, which remembers what was seen before it.
  func after(_ known: Seal?) -> Seal {
    guard let known else { return self }
    var seal = self
    let isOther = known.lineage != 0 && known.lineage != lineage
    seal.former = Array(((isOther ? [known.lineage] : []) + known.former).prefix(Self.formerLineages))
    return seal
  }

  /// What is remembered of a document that is deleted: its lineage has ended.
  ///
  /// - Parameter age: the atom's.
  static func burial(of known: Seal?, age: Int64) -> Seal {
    Seal(
      key: nil, lineage: known?.lineage ?? 0, former: known?.former ?? [], buried: known?.buried ?? age)
  }

  /// The lineage that a creating value begins.
  static func lineage(begunBy sealed: SealedBytes) -> UInt64 {
    sealed.bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}
