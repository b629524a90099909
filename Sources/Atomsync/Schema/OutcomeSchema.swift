internal import AtomsyncCore
internal import Transit

// The rows that tell what became of edits.

extension Verdict {
  package init(row bytes: [UInt8]) throws {
    var reader = RecordReader(bytes)
    _ = try reader.number()
    let kind = try reader.number()
    let number = try reader.number()
    let text = try reader.text()
    switch kind {
    case 0: self = .accepted(version: number)
    case 1: self = .rejected(reason: text)
    case 2: self = .overruled(conflict: number)
    default: self = .discarded
    }
  }

  /// - Parameter first: the first of the edits that the verdict is on.
  func row(noticed: Int64, first: Int64) -> [UInt8] {
    var writer = RecordWriter(reserving: 40)
    writer.write(noticed)
    let (kind, number, text): (Int64, Int64, String) =
      switch self {
      case .accepted(let version): (0, version, "")
      case .rejected(let reason): (1, 0, reason)
      case .overruled(let conflict): (2, conflict, "")
      case .discarded: (3, 0, "")
      }
    writer.write(kind)
    writer.write(number)
    writer.write(text)
    writer.write(first)
    return writer.bytes
  }

  /// The first of the edits that the verdict in a row is on.
  static func firstEdit(row bytes: [UInt8]) throws -> Int64 {
    var reader = RecordReader(bytes)
    for _ in 0..<3 { _ = try reader.number() }
    _ = try reader.text()
    return reader.isAtEnd ? 0 : try reader.number()
  }

  /// When the verdict in a row was noticed.
  static func noticed(row bytes: [UInt8]) throws -> Int64 {
    var reader = RecordReader(bytes)
    return try reader.number()
  }
}

/// A rejection with its value as it is stored.
struct RejectedEdit: Sendable {
  let rejection: Rejection
  let value: StoredValue?

  init(_ rejection: Rejection, _ value: StoredValue?) {
    self.rejection = rejection
    self.value = value
  }

  init(document: String, row bytes: [UInt8]) throws {
    var reader = RecordReader(bytes)
    let reason = try reader.text()
    value = try reader.optional { try StoredValue(try $0.payload()) }
    rejection = Rejection(
      document: document, reason: reason, value: value?.value, noticed: try reader.number())
  }

  var row: [UInt8] {
    var writer = RecordWriter()
    writer.write(rejection.reason)
    writer.write(value)
    writer.write(rejection.noticed)
    return writer.bytes
  }
}

extension Conflict {
  init(id: Int64, row bytes: [UInt8]) throws {
    var reader = RecordReader(bytes)
    let document = try reader.text()
    let base = try reader.value()
    let local = try reader.value()
    let remote = try reader.value()
    let kind = try reader.number()
    let reason = try reader.text()
    let outcome: Outcome =
      switch kind {
      case 0: .serverWon
      case 1: .localWon
      case 2: .merged
      case 4: .overtaken
      default: .open(reason)
      }
    self.init(
      id: id, document: document, base: base, local: local, remote: remote, outcome: outcome,
      noticed: try reader.number())
  }

  func row(base: StoredValue?, local: StoredValue?, remote: StoredValue?) -> [UInt8] {
    var writer = RecordWriter()
    writer.write(document)
    writer.write(base)
    writer.write(local)
    writer.write(remote)
    let (kind, reason): (Int64, String) =
      switch outcome {
      case .serverWon: (0, "")
      case .localWon: (1, "")
      case .merged: (2, "")
      case .open(let reason): (3, reason)
      case .overtaken: (4, "")
      }
    writer.write(kind)
    writer.write(reason)
    writer.write(noticed)
    return writer.bytes
  }
}

extension RecordWriter {
  fileprivate mutating func write(_ value: StoredValue?) {
    write(value) { $0.write($1.payload.bytes) }
  }
}

extension RecordReader {
  fileprivate mutating func value() throws -> TransitValue? {
    try optional { try StoredValue(try $0.payload()).value }
  }
}
