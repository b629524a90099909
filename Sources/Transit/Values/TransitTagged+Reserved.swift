extension TransitTagged {
  /// Whether the tag is one that Transit itself defines.
  var isReserved: Bool {
    switch tag {
    case "set", "list", "cmap", "ratio", "link": true
    case "_", "?", "s", "i", "d", "z", "n", "f", "b", "m", "t", "u", ":", "$", "r", "c", "'": true
    default: false
    }
  }

  /// What a reader makes of this tag and representation: a value of Transit's own for a reserved tag, else itself.
  ///
  /// - Throws: `invalidRepresentation` or `invalidScalar` where a reserved tag does not fit what stands under it.
  func resolved(offset: Int?) throws(TransitError) -> TransitValue {
    guard isReserved else { return .tagged(self) }
    switch (tag, rep) {
    case ("set", .array(let items)): return .set(TransitSet(items))
    case ("list", .array(let items)): return .list(items)
    case ("cmap", .array(let items)):
      if items.count & 1 == 0 { return .map(TransitMap(flat: FlatValues(items), distinct: false)) }
    case ("ratio", _): return try ValueSink.ratio(rep)
    case ("link", _): return try ValueSink.link(rep)
    case ("set", _), ("list", _), ("cmap", _): break
    default: return try Scalars.decode(tag: tag, rep: rep, offset: offset)
    }
    throw TransitError(.invalidRepresentation, "the tag '\(tag)' has no such representation", offset: offset)
  }
}
