internal import AtomsyncCore

/// The server's document, as far as the pages have told.
struct BaseDocument: Equatable, Sendable {
  var version: Int64
  var updated: Int64
  var generation: Int64
  /// `nil`: a tombstone that a verdict told of. In memory only, and only until its page has come, so that a page
  /// that was read before cannot bring the document back for a moment.
  var value: StoredValue?

  private enum Field: UInt8, RowField {
    case version = 1
    case updated, generation, value
  }

  init(version: Int64, updated: Int64, generation: Int64, value: StoredValue?) {
    self.version = version
    self.updated = updated
    self.generation = generation
    self.value = value
  }

  init(row bytes: [UInt8]) throws {
    guard RowReader.isTagged(bytes) else {
      try self.init(positional: bytes)
      return
    }
    var reader = try RowReader(bytes)
    var version: Int64?
    var updated: Int64 = 0
    var generation: Int64?
    var value: StoredValue?
    while let field = try reader.next(Field.self) {
      switch field {
      case .version: version = try reader.count()
      case .updated: updated = try reader.number()
      case .generation: generation = try reader.count()
      case .value: value = try reader.value()
      }
    }
    self.init(
      version: try reader.required(version), updated: updated, generation: try reader.required(generation),
      value: try reader.required(value))
  }

  func row(_ value: StoredValue) -> [UInt8] {
    var writer = RowWriter(reserving: value.byteCount + 24)
    writer.write(Field.version, version)
    writer.write(Field.updated, updated)
    writer.write(Field.generation, generation)
    writer.write(Field.value, value)
    return writer.bytes
  }
}
