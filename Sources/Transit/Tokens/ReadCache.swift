/// What a text is, by its first characters; the body of a text is what follows them.
enum TextKind: UInt8 {
  /// A plain string without prefix.
  case string
  /// A string whose own first character had to be escaped: `~~x`, `~^x`, ``~`x``.
  case escaped
  /// `~:x`
  case keyword
  /// `~$x`
  case symbol
  /// `~#x`
  case tag

  /// How many bytes stand before the body.
  @inline(__always)
  var prefixCount: Int { self == .string ? 0 : self == .escaped ? 1 : 2 }

  /// The second byte of the prefix, where there are two.
  @inline(__always)
  var mark: UInt8 {
    switch self {
    case .keyword: UInt8(ascii: ":")
    case .symbol: UInt8(ascii: "$")
    default: UInt8(ascii: "#")
    }
  }
}

/// The tags a reader acts upon by itself.
enum TagKind: UInt8 {
  case unknown, quote, set, list, cmap, ratio, link
  /// One character: the tag of a scalar.
  case scalar

  init(_ name: Text) {
    self = name.count == 1 ? (name.start[0] == UInt8(ascii: "'") ? .quote : .scalar) : Self.long(name)
  }

  private static func long(_ name: Text) -> TagKind {
    func matches(_ word: StaticString) -> Bool {
      name.count == word.utf8CodeUnitCount && ExactText.sameBytes(name.start, word.utf8Start, name.count)
    }
    if matches("set") { return .set }
    if matches("list") { return .list }
    if matches("cmap") { return .cmap }
    if matches("ratio") { return .ratio }
    if matches("link") { return .link }
    // One character beyond ASCII is one character too.
    if name.count <= 4, name.bytes.allSatisfy({ $0 >= 0x80 }), name.string.unicodeScalars.count == 1 {
      return .scalar
    }
    return .unknown
  }
}

/// The texts that a reader remembers, so that `^0` and its like can stand for them.
///
/// Slots keep the text, for copying to a writer, and the decoded value once somebody needed it, so that a keyword is
/// decoded once and shared. Codes beyond the last slot begin anew at zero, as transit-java does it.
struct ReadCache {
  /// What is known of a text besides its value.
  struct Slot {
    let kind: TextKind
    let tag: TagKind
    /// Whether the text is a scalar other than string, keyword and symbol; its value is always there.
    let isScalar: Bool
    let isASCII: Bool
    /// Where the body is: in the input, or if negative in the arena, at `~offset`.
    let offset: Int
    let count: Int
    /// The hash of the text; zero for a scalar, whose text does not tell whether two are equal.
    let hash: UInt64
  }

  /// How many texts are remembered before numbering begins anew.
  static let capacity = 44 * 44

  private(set) var slots: [Slot] = []
  /// The decoded values, where somebody needed them; as many as that takes.
  private var values: [TransitValue?] = []
  private var next = 0
  /// Bodies that are not in the input, because they were escaped there.
  private var arena: [UInt8] = []

  /// Gives the cache away, leaving an empty one, so that whoever changes it is its only owner and copies nothing.
  mutating func take() -> ReadCache {
    var taken = ReadCache()
    swap(&taken, &self)
    return taken
  }

  /// Forgets everything, for the next top-level value.
  mutating func reset() {
    slots.removeAll(keepingCapacity: true)
    values.removeAll(keepingCapacity: true)
    arena.removeAll(keepingCapacity: true)
    next = 0
  }

  @inline(__always)
  mutating func store(
    _ body: Text, at inputOffset: Int?, kind: TextKind, tag: TagKind = .unknown, isScalar: Bool = false,
    hash: UInt64, value: consuming TransitValue?
  ) {
    let offset: Int
    if let inputOffset {
      offset = inputOffset
    } else {
      offset = ~arena.count
      arena.append(contentsOf: body.bytes)
    }
    let slot = Slot(
      kind: kind, tag: tag, isScalar: isScalar, isASCII: body.isASCII, offset: offset, count: body.count,
      hash: hash)
    if next == Self.capacity { next = 0 }
    if next == slots.count {
      // Room for the texts of a document of usual size, so that the list does not grow step by step.
      if next == 0 { slots.reserveCapacity(16) }
      slots.append(slot)
    } else {
      slots[next] = slot
      if next < values.count { values[next] = nil }
    }
    if let value { keep(value, at: next) }
    next &+= 1
  }

  /// Keeps the decoded value of a slot for the next time.
  @inline(__always)
  mutating func keep(_ value: TransitValue, at index: Int) {
    if index >= values.count { makeRoom(for: index) }
    values[index] = value
  }

  private mutating func makeRoom(for index: Int) {
    if values.isEmpty { values.reserveCapacity(16) }
    while values.count <= index { values.append(nil) }
  }

  /// The decoded value of a slot, if it was kept.
  @inline(__always)
  func value(at index: Int) -> TransitValue? { index < values.count ? values[index] : nil }

  /// The body of a slot's text. Good until the next text is stored.
  @inline(__always)
  func body(of slot: Slot, input: UnsafePointer<UInt8>) -> Text {
    if slot.offset >= 0 { return Text(input + slot.offset, slot.count, isASCII: slot.isASCII) }
    return arena.withUnsafeBufferPointer { bytes in
      Text((bytes.baseAddress ?? input) + ~slot.offset, slot.count, isASCII: slot.isASCII)
    }
  }

  /// The slot that a text names which begins with `^`; nil if it is no code or the slot is unset.
  @inline(__always)
  func index(ofCode text: Text) -> Int? {
    let index: Int
    switch text.count {
    case 2:
      let digit = Int(text.start[1]) &- 48
      guard digit >= 0, digit < 44 else { return nil }
      index = digit
    case 3:
      let high = Int(text.start[1]) &- 48
      let low = Int(text.start[2]) &- 48
      guard high >= 0, high < 44, low >= 0, low < 44 else { return nil }
      index = high &* 44 &+ low
    default: return nil
    }
    return index < slots.count ? index : nil
  }
}
