/// What the bytes say next, before Transit's own rules: a scalar, or the beginning of an array or a map.
enum Head {
  case null
  case bool(Bool)
  case int(Int64)
  case double(Double)
  /// An integer beyond 64 bits, as decimal digits.
  case digits(Text)
  /// An integer beyond the range of `Int64`.
  case unsigned(UInt64)
  case text(Text)
  /// An array, with the count if the bytes tell it.
  case array(count: Int?)
  /// A JSON object or MessagePack map, with the count of pairs if the bytes tell it.
  case object(count: Int?)
}

/// How far a reader is inside an array or object.
struct Frame {
  /// Items still to come, keys and values of an object counted each; -1 where a delimiter will tell.
  var remaining: Int
  /// Items begun so far.
  var index = 0
  /// Whether this is a JSON object, whose items are separated by `:` and `,` in turn.
  let isObject: Bool

  @inline(__always)
  init(array count: Int?) {
    remaining = count ?? -1
    isObject = false
  }

  @inline(__always)
  init(object count: Int?) {
    remaining = count.map { $0 &* 2 } ?? -1
    isObject = true
  }
}

/// A reader of one encoding's bytes: JSON or MessagePack. Everything above it is generic and specialised for each.
protocol TokenSource {
  /// A reader that continues at `position`. The bytes must outlive it.
  init(_ bytes: UnsafeBufferPointer<UInt8>, position: Int)

  /// The byte after what was read so far.
  var position: Int { get }

  /// The byte at which the last token began.
  var tokenStart: Int { get }

  /// Reads a scalar, or the beginning of an array or object.
  mutating func head() throws(TransitError) -> Head

  /// Whether another item follows in an array or object; consumes the separator before it, or the end.
  mutating func hasNext(_ frame: inout Frame) throws(TransitError) -> Bool

  /// Consumes what may follow a complete value.
  mutating func skipPadding()

  /// Where a text of this source lies in the input; nil if it is in the scratch buffer.
  func inputOffset(of text: Text) -> Int?
}
