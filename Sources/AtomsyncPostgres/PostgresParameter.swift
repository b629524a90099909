internal import CPostgres

/// A parameter of a statement, in PostgreSQL's binary format.
enum PostgresParameter: Sendable {
  case text(String)
  case number(Int64)
  case byteArray([[UInt8]])
  case numberArray([Int64])

  /// The type's number in `pg_type`, which is the same everywhere.
  var type: Oid {
    switch self {
    case .text: 25
    case .number: 20
    case .byteArray: 1001
    case .numberArray: 1016
    }
  }

  var bytes: [UInt8] {
    switch self {
    case .text(let text): return Array(text.utf8)
    case .number(let number): return number.bigEndianBytes
    case .byteArray(let elements):
      var bytes = Self.header(elementType: 17, count: elements.count)
      bytes.reserveCapacity(bytes.count + elements.reduce(0) { $0 + $1.count + 4 })
      for element in elements {
        bytes += Int32(truncatingIfNeeded: element.count).bigEndianBytes
        bytes += element
      }
      return bytes
    case .numberArray(let elements):
      var bytes = Self.header(elementType: 20, count: elements.count)
      for element in elements {
        bytes += Int32(8).bigEndianBytes
        bytes += element.bigEndianBytes
      }
      return bytes
    }
  }

  /// How an array begins (`array_recv`): its dimensions, no nulls, the type of its elements; then of its one dimension the
  /// length and the first index.
  private static func header(elementType: Int32, count: Int) -> [UInt8] {
    let dimensions: [Int32] = count == 0 ? [] : [Int32(truncatingIfNeeded: count), 1]
    return ([count == 0 ? 0 : 1, 0, elementType] + dimensions).flatMap(\.bigEndianBytes)
  }
}

extension FixedWidthInteger {
  fileprivate var bigEndianBytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}
