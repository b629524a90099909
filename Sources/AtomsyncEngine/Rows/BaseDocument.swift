internal import AtomsyncCore

/// The server's document, as far as the pages have told.
struct BaseDocument: Equatable, Sendable {
  var version: Int64
  var updated: Int64
  var generation: Int64
  /// `nil`: a tombstone. In memory only, and only until its page has come, so that a page that was read before cannot
  /// bring the document back for a moment; of an encrypted atom it is stored, so that the server cannot either.
  var value: StoredValue?
  private var sealBox: SealBox?

  /// Few atoms have them, so a seal lies in memory of its own.
  private indirect enum SealBox: Equatable, Sendable { case seal(Seal) }

  private enum Field: UInt8, RowField {
    case version = 1
    case updated, generation, value, key, lineage, buried, former, height
  }

  init(version: Int64, updated: Int64, generation: Int64, value: StoredValue?, seal: Seal? = nil) {
    self.version = version
    self.updated = updated
    self.generation = generation
    self.value = value
    self.seal = seal
  }

  /// The seal that the value came in; `nil` when it was none.
  var seal: Seal? {
    get { if case .seal(let seal) = sealBox { seal } else { nil } }
    set { sealBox = newValue.map { .seal($0) } }
  }

  var isStored: Bool { value != nil || seal?.buried != nil }

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
    var key: KeyID?
    var lineage: UInt64?
    var buried: Int64?
    var former: [UInt64] = []
    var height: Int64?
    while let field = try reader.next(Field.self) {
      switch field {
      case .version: version = try reader.count()
      case .updated: updated = try reader.number()
      case .generation: generation = try reader.count()
      case .value: value = try reader.value()
      case .key: key = KeyID(UInt64(bitPattern: try reader.number()))
      case .lineage: lineage = UInt64(bitPattern: try reader.number())
      case .buried: buried = try reader.count()
      case .height: height = try reader.count()
      case .former: former.append(UInt64(bitPattern: try reader.number()))
      }
    }
    if buried == nil { value = try reader.required(value) }
    var seal = lineage.map { Seal(key: key, lineage: $0, former: former, buried: buried) }
    seal?.height = height
    self.init(
      version: try reader.required(version), updated: updated, generation: try reader.required(generation),
      value: value, seal: seal)
  }

  var row: [UInt8] {
    var writer = RowWriter(reserving: (value?.byteCount ?? 0) + 48)
    writer.write(Field.version, version)
    writer.write(Field.updated, updated)
    writer.write(Field.generation, generation)
    writer.write(Field.value, value)
    if let seal {
      writer.write(Field.key, seal.key.map { Int64(bitPattern: $0.number) })
      writer.write(Field.lineage, Int64(bitPattern: seal.lineage))
      writer.write(Field.buried, seal.buried)
      writer.write(Field.height, seal.height)
      for lineage in seal.former { writer.write(Field.former, Int64(bitPattern: lineage)) }
    }
    return writer.bytes
  }
}
