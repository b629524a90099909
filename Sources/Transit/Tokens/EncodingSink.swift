#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// A sink that writes bytes: what JSON and MessagePack have in common.
protocol EncodingSink: TokenSink, ~Copyable {
  /// Writes a text by its kind and body, or the code that stands for it.
  mutating func put(_ body: UnsafePointer<UInt8>, _ count: Int, _ kind: TextKind, key: Bool)
  /// Writes a scalar whose only form is text, `~` + tag + body.
  mutating func tagged(_ tag: UInt8, _ body: String, key: Bool)
}

extension EncodingSink where Self: ~Copyable {
  static var buildsValues: Bool { false }

  @inline(__always)
  mutating func text(_ body: Text, kind: TextKind, key: Bool) {
    put(body.start, body.count, kind, key: key)
  }

  @inline(__always)
  mutating func newText(_ body: Text, kind: TextKind, key: Bool) -> TransitValue? {
    put(body.start, body.count, kind, key: key)
    return nil
  }

  func keyText(mark: Int, pair: Int) -> String? { nil }

  @inline(__always)
  mutating func put(_ text: String, _ kind: TextKind, key: Bool) {
    let done: Void? = text.utf8.withContiguousStorageIfAvailable { bytes in
      guard let base = bytes.baseAddress else { return putEmpty(kind, key: key) }
      put(base, bytes.count, kind, key: key)
    }
    if done == nil { putCopy(text, kind, key: key) }
  }

  private mutating func putEmpty(_ kind: TextKind, key: Bool) {
    let empty: StaticString = ""
    put(empty.utf8Start, 0, kind, key: key)
  }

  private mutating func putCopy(_ text: String, _ kind: TextKind, key: Bool) {
    let bytes = Array(text.utf8)
    bytes.withUnsafeBufferPointer { bytes in
      if let base = bytes.baseAddress {
        put(base, bytes.count, kind, key: key)
      } else {
        putEmpty(kind, key: key)
      }
    }
  }

  @inline(__always)
  mutating func string(_ text: String, key: Bool) {
    if let first = text.utf8.first {
      if first == UInt8(ascii: "~") || first == UInt8(ascii: "^") || first == UInt8(ascii: "`") {
        put(text, .escaped, key: key)
        return
      }
    }
    put(text, .string, key: key)
  }

  mutating func value(_ value: TransitValue) throws(TransitError) {
    try write(value, key: false, levels: TransitLimits.standard.depth)
  }

  mutating func scalar(_ value: TransitValue, key: Bool) {
    switch value {
    case .instant(let value): instant(value, key: key)
    case .uuid(let value): uuid(value, key: key)
    case .null: null(key: key)
    case .bool(let value): bool(value, key: key)
    case .int(let value): int(value, key: key)
    case .double(let value): double(value, key: key)
    case .string(let value): string(value, key: key)
    case .keyword(let value): put(value.text, .keyword, key: key)
    case .symbol(let value): put(value.text, .symbol, key: key)
    case .bigInt(let value): tagged(UInt8(ascii: "n"), value.text, key: key)
    case .bigDecimal(let value): tagged(UInt8(ascii: "f"), value.text, key: key)
    case .bytes(let value): tagged(UInt8(ascii: "b"), Base64.encode(value), key: key)
    case .uri(let value): tagged(UInt8(ascii: "r"), value, key: key)
    case .char(let value): tagged(UInt8(ascii: "c"), String(value), key: key)
    case .tagged(let value):
      if case .string(let rep) = value.rep { put(value.tag + rep, .escaped, key: key) }
    // Composites come as tokens or through `write`.
    case .array, .list, .set, .map, .ratio, .link: break
    }
  }

  @inline(__always)
  mutating func special(_ value: Double) -> String? {
    if value.isFinite { return nil }
    return value.isNaN ? "NaN" : value < 0 ? "-INF" : "INF"
  }

  /// Writes a value of any type.
  ///
  /// - Throws: `tooDeep`, `tooLarge`, and `unencodable` for names and tags that are empty.
  mutating func write(_ value: TransitValue, key: Bool, levels: Int) throws(TransitError) {
    if isFull { throw .tooLarge() }
    switch value {
    case .null: null(key: key)
    case .bool(let value): bool(value, key: key)
    case .int(let value): int(value, key: key)
    case .double(let value): double(value, key: key)
    case .string(let value): string(value, key: key)
    case .keyword(let value):
      if value.text.isEmpty { throw TransitError(.unencodable, "a keyword without a name") }
      put(value.text, .keyword, key: key)
    case .symbol(let value):
      if value.text.isEmpty { throw TransitError(.unencodable, "a symbol without a name") }
      put(value.text, .symbol, key: key)
    case .instant(let value): instant(value, key: key)
    case .uuid(let value): uuid(value, key: key)
    case .map(let map):
      try map.flat.withUnsafeBufferPointer { (flat) throws(TransitError) in
        try writePairs(flat, levels: levels)
      }
    case .array(let items):
      try items.withUnsafeBufferPointer { (items) throws(TransitError) in
        try write(items, .array, levels: levels)
      }
    case .set(let set):
      try set.flat.withUnsafeBufferPointer { (items) throws(TransitError) in
        try write(items, .set, levels: levels)
      }
    case .list(let items):
      try items.withUnsafeBufferPointer { (items) throws(TransitError) in
        try write(items, .list, levels: levels)
      }
    case .tagged(let tagged): try write(tagged, key: key, levels: levels)
    case .ratio(let ratio):
      try form("ratio", [.bigInt(ratio.numerator), .bigInt(ratio.denominator)], levels: levels)
    case .link(let link): try form("link", .map(link.map), levels: levels)
    case .bigInt, .bigDecimal, .bytes, .uri, .char: scalar(value, key: key)
    }
  }

  private mutating func write(
    _ items: UnsafeBufferPointer<TransitValue>, _ kind: Composite, levels: Int
  ) throws(TransitError) {
    // A set or list takes two levels in the bytes, its tag and its array.
    let inner = levels - (kind == .array ? 1 : 2)
    if inner < 0 { throw TransitError(.tooDeep, "values are nested deeper than the limit") }
    let mark = begin(kind, count: items.count)
    var position = 0
    while position < items.count {
      try write(items[position], key: false, levels: inner)
      position &+= 1
    }
    end(kind, mark: mark, count: items.count, distinct: true)
  }

  private mutating func writePairs(
    _ flat: UnsafeBufferPointer<TransitValue>, levels: Int
  ) throws(TransitError) {
    var plain = true
    var position = 0
    while position < flat.count {
      if !flat[position].isStringable { plain = false }
      position &+= 2
    }
    let inner = levels - (plain ? 1 : 2)
    if inner < 0 { throw TransitError(.tooDeep, "values are nested deeper than the limit") }
    let mark = begin(plain ? .map : .cmap, count: plain ? flat.count / 2 : flat.count)
    position = 0
    while position < flat.count {
      try write(flat[position], key: plain, levels: inner)
      try write(flat[position &+ 1], key: false, levels: inner)
      position &+= 2
    }
    end(plain ? .map : .cmap, mark: mark, count: flat.count, distinct: true)
  }

  private mutating func write(_ tagged: TransitTagged, key: Bool, levels: Int) throws(TransitError) {
    if tagged.tag.isEmpty { throw TransitError(.unencodable, "a tag without a name") }
    if tagged.isReserved {
      // A tag of Transit's own: written as the value it makes, or not at all.
      let value: TransitValue
      do throws(TransitError) {
        value = try tagged.resolved(offset: nil)
      } catch {
        throw TransitError(.unencodable, error.message)
      }
      if key, !value.isStringable {
        throw TransitError(.unencodable, "the tag '\(tagged.tag)' makes no key of a plain map")
      }
      return try write(value, key: key, levels: levels)
    }
    if tagged.isScalar {
      scalar(.tagged(tagged), key: key)
      return
    }
    try form(tagged.tag, tagged.rep, levels: levels)
  }

  /// Writes a tag and what stands under it.
  private mutating func form(_ tag: String, _ rep: TransitValue, levels: Int) throws(TransitError) {
    if levels < 1 { throw TransitError(.tooDeep, "values are nested deeper than the limit") }
    var tag = tag
    let mark = tag.withUTF8 { bytes in
      bytes.baseAddress.map { beginTagged(Text($0, bytes.count, isASCII: false)) } ?? 0
    }
    try write(rep, key: false, levels: levels - 1)
    try endTagged(mark: mark, kind: .unknown)
  }
}
