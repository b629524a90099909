#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

// What a value holds, or nil if it is of another type.
extension TransitValue {
  /// Whether the value is `null`.
  public var isNull: Bool { if case .null = self { true } else { false } }

  /// The truth value of a `bool`.
  public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }

  /// The number of an `int`, or of a `bigInt` that fits.
  public var intValue: Int64? {
    switch self {
    case .int(let value): value
    case .bigInt(let value): value.int64
    default: nil
    }
  }

  /// The number of a `double`.
  public var doubleValue: Double? { if case .double(let value) = self { value } else { nil } }

  /// The text of a `string`.
  public var stringValue: String? { if case .string(let value) = self { value } else { nil } }

  /// A `keyword`.
  public var keywordValue: Keyword? { if case .keyword(let value) = self { value } else { nil } }

  /// A `symbol`.
  public var symbolValue: Symbol? { if case .symbol(let value) = self { value } else { nil } }

  /// The content of `bytes`.
  public var bytesValue: [UInt8]? { if case .bytes(let value) = self { value } else { nil } }

  /// An `instant`.
  public var instantValue: Instant? { if case .instant(let value) = self { value } else { nil } }

  /// A `uuid`.
  public var uuidValue: UUID? { if case .uuid(let value) = self { value } else { nil } }

  /// The elements of an `array` or a `list`.
  public var arrayValue: [TransitValue]? {
    switch self {
    case .array(let value), .list(let value): value
    default: nil
    }
  }

  /// The elements of a `set`.
  public var setValue: TransitSet? { if case .set(let value) = self { value } else { nil } }

  /// The entries of a `map`.
  public var mapValue: TransitMap? { if case .map(let value) = self { value } else { nil } }

  /// A `tagged` value.
  public var taggedValue: TransitTagged? { if case .tagged(let value) = self { value } else { nil } }
}

extension TransitValue {
  /// The value under a name: the string key if the map has it, else the keyword key.
  ///
  /// `value["text"]` finds `{"text" …}` and `{:text …}`, in this order; it is nil for anything but a map. Setting
  /// replaces whichever of the two is there (the string first), adds a string key if neither is, and removes both
  /// on nil. Setting a value in `null` makes a map of it; in any other type it does nothing.
  public subscript(name: String) -> TransitValue? {
    get {
      guard case .map(let map) = self else { return nil }
      return map[.string(name)] ?? map[.keyword(Keyword(name))]
    }
    set {
      changeMap { map in
        let keyword = TransitValue.keyword(Keyword(name))
        if newValue == nil {
          map[.string(name)] = nil
          map[keyword] = nil
        } else if map[.string(name)] == nil, map[keyword] != nil {
          map[keyword] = newValue
        } else {
          map[.string(name)] = newValue
        }
      }
    }
  }

  /// The value under a keyword, as `value[keyword: "done"]`; nil for anything but a map with that key.
  ///
  /// Setting nil removes the key. Setting a value in `null` makes a map of it; in any other type it does nothing.
  public subscript(keyword keyword: Keyword) -> TransitValue? {
    get { self[key: .keyword(keyword)] }
    set { self[key: .keyword(keyword)] = newValue }
  }

  /// The value under a key of any type; nil for anything but a map with that key.
  ///
  /// Setting nil removes the key. Setting a value in `null` makes a map of it; in any other type it does nothing.
  public subscript(key key: TransitValue) -> TransitValue? {
    get { if case .map(let map) = self { map[key] } else { nil } }
    set { changeMap { $0[key] = newValue } }
  }

  /// The element of an array or list at a position; nil if there is none. Setting nil, or beyond the end, does
  /// nothing.
  public subscript(index: Int) -> TransitValue? {
    get {
      guard let elements = arrayValue, elements.indices.contains(index) else { return nil }
      return elements[index]
    }
    set {
      guard let newValue else { return }
      switch self {
      case .array(var elements) where elements.indices.contains(index):
        self = .null
        elements[index] = newValue
        self = .array(elements)
      case .list(var elements) where elements.indices.contains(index):
        self = .null
        elements[index] = newValue
        self = .list(elements)
      default: break
      }
    }
  }

  /// The value at the end of a path of keys: `value[path: ["todo:1", .keyword("tags"), 0]]`.
  ///
  /// A string step looks as `value["text"]` does, an integer step in an array or list is a position, any other step
  /// is a key. Nil as soon as a step finds nothing. Setting makes maps on the way where there is nothing.
  public subscript(path path: [TransitValue]) -> TransitValue? {
    get {
      var value = self
      for step in path {
        guard let next = value[step: step] else { return nil }
        value = next
      }
      return value
    }
    set {
      guard let first = path.first else {
        self = newValue ?? .null
        return
      }
      if path.count == 1 {
        self[step: first] = newValue
      } else {
        var inner = self[step: first] ?? .null
        inner[path: Array(path.dropFirst())] = newValue
        self[step: first] = inner
      }
    }
  }

  private subscript(step step: TransitValue) -> TransitValue? {
    get {
      switch (self, step) {
      case (.map, .string(let name)): self[name]
      case (.map, _): self[key: step]
      case (_, .int(let index)): Int(exactly: index).flatMap { self[$0] }
      default: nil
      }
    }
    set {
      switch (self, step) {
      case (.map, .string(let name)), (.null, .string(let name)): self[name] = newValue
      case (.map, _), (.null, _): self[key: step] = newValue
      case (_, .int(let index)): if let index = Int(exactly: index) { self[index] = newValue }
      default: break
      }
    }
  }

  /// Changes the map inside without copying it; `null` counts as an empty map.
  private mutating func changeMap(_ change: (inout TransitMap) -> Void) {
    var map: TransitMap
    switch self {
    case .map(let inner): map = inner
    case .null: map = TransitMap()
    default: return
    }
    let wasNull = isNull
    self = .null
    change(&map)
    if !wasNull || !map.isEmpty { self = .map(map) }
  }
}
