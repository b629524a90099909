/// A composite that a step-by-step reader has entered.
struct Entered {
  var frame: Frame
  /// The form around a tagged composite, to be closed after it.
  var outer: Frame?
  /// The first key of a map, where it was read to tell what the map is.
  var firstKey: TransitValue?
}

extension Parser where Sink == ValueSink {
  private func mismatch(_ isMap: Bool, at start: Int) -> TransitError {
    TransitError(.typeMismatch, isMap ? "expected a map" : "expected an array, list or set", offset: start)
  }

  /// Enters a map, or an array, list or set.
  mutating func enter(isMap: Bool) throws(TransitError) -> Entered {
    let head = try source.head()
    let start = source.tokenStart
    if levels < 1 { throw fail(.tooDeep, "values are nested deeper than the limit") }
    switch head {
    case .array(let count):
      var frame = Frame(array: count)
      let before = source
      guard try source.hasNext(&frame) else {
        if isMap { throw mismatch(isMap, at: start) }
        source = before
        return Entered(frame: Frame(array: count))
      }
      guard case .text(let text) = try source.head() else {
        if isMap { throw mismatch(isMap, at: start) }
        source = before
        return Entered(frame: Frame(array: count))
      }
      switch try opening(text) {
      case .map where isMap: return Entered(frame: frame)
      case .tag(let kind, _): return try enter(tag: kind, &frame, isMap: isMap, start: start)
      case .none where !isMap:
        source = before
        return Entered(frame: Frame(array: count))
      default: throw mismatch(isMap, at: start)
      }
    case .object(let count):
      var frame = Frame(object: count)
      let before = source
      guard try source.hasNext(&frame) else {
        if !isMap { throw mismatch(isMap, at: start) }
        source = before
        return Entered(frame: Frame(object: count))
      }
      let head = try source.head()
      if case .text(let text) = head, case .tag(let kind, _) = try opening(text) {
        return try enter(tag: kind, &frame, isMap: isMap, start: start)
      }
      if !isMap { throw mismatch(isMap, at: start) }
      try item(head, key: true)
      guard try source.hasNext(&frame) else { throw fail(.oddMap, "a map has a key without a value") }
      return Entered(frame: frame, firstKey: sink.stack.pop())
    default:
      throw mismatch(isMap, at: start)
    }
  }

  private mutating func enter(
    tag kind: TagKind, _ frame: inout Frame, isMap: Bool, start: Int
  ) throws(TransitError) -> Entered {
    switch kind {
    case .cmap where isMap, .set where !isMap, .list where !isMap: break
    default: throw mismatch(isMap, at: start)
    }
    guard try source.hasNext(&frame) else { throw fail(.misplacedTag, "a tag without a value") }
    guard case .array(let count) = try source.head() else {
      throw fail(.invalidRepresentation, "a set, list or cmap needs an array")
    }
    return Entered(frame: Frame(array: count), outer: frame)
  }

  /// The next key of a map, with its separator consumed; nil at the end of the map and of the form around it.
  mutating func nextKey(_ frame: inout Frame, plain: Bool, outer: Frame?) throws(TransitError)
    -> TransitValue?
  {
    guard try hasNext(&frame, outer: outer) else { return nil }
    try item(try source.head(), key: plain)
    guard try source.hasNext(&frame) else { throw fail(.oddMap, "a map has a key without a value") }
    return sink.stack.pop()
  }

  /// Whether an item follows; at the end, the form around the composite is closed too.
  mutating func hasNext(_ frame: inout Frame, outer: Frame?) throws(TransitError) -> Bool {
    if try source.hasNext(&frame) { return true }
    if var outer, try source.hasNext(&outer) {
      throw TransitError(.misplacedTag, "a tag with more than one value", offset: source.position)
    }
    return false
  }
}
