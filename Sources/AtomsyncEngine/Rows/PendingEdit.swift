internal import AtomsyncCore

/// A document's local edits that the server has not confirmed, as one: what it was, and what it is to be.
struct PendingEdit: Equatable, Sendable {
  /// The first and last of the edits that make this one.
  var firstEdit: Int64
  var edit: Int64
  /// The version that the edits were made on; 0 for "does not exist".
  var baseVersion: Int64
  /// The value at that version.
  var base: StoredValue?
  /// The value to be; `nil` to delete.
  var value: StoredValue?
  /// The edits that must reach the server together with this one bear the same number.
  var atomic: Int64?
  /// When the first edit was made, in milliseconds since 1970.
  var made: Int64
  /// Values of pushes that were taken apart while nobody knew whether the server had accepted them: to meet one of
  /// them there is no conflict.
  var sent: [StoredValue?] = []
  /// Nothing is changed but the seal: see ``ReplicaContent/reseal()``.
  var isReseal = false
  /// The number of the report that the edit is in an open conflict.
  var openReport: Int64?
  /// The server's document that a merge is being found for. Not stored: it is found again.
  var openConflict: BaseDocument?

  private enum Field: UInt8, RowField {
    case firstEdit = 1
    case edit, baseVersion, base, value, atomic, made, sent, openReport, reseal
  }

  private enum SentField: UInt8, RowField { case value = 1 }

  /// An edit of what the server has, before it has changed anything.
  init(on document: BaseDocument?, first number: Int64, made: Int64) {
    firstEdit = number
    edit = number
    base = document?.value
    baseVersion = base == nil ? 0 : document?.version ?? 0
    value = base
    self.made = made
  }

  /// Whether the edit goes away when its value is the base's again: only while nobody else has anything to say on it.
  var canBeUndone: Bool { atomic == nil && openConflict == nil && sent.isEmpty }

  init(row bytes: [UInt8]) throws {
    guard RowReader.isTagged(bytes) else {
      try self.init(positional: bytes)
      return
    }
    var reader = try RowReader(bytes)
    var firstEdit: Int64?
    var edit: Int64?
    var pending = PendingEdit(on: nil, first: 0, made: 0)
    while let field = try reader.next(Field.self) {
      switch field {
      case .firstEdit: firstEdit = try reader.count()
      case .edit: edit = try reader.count()
      case .baseVersion: pending.baseVersion = try reader.count()
      case .base: pending.base = try reader.value()
      case .value: pending.value = try reader.value()
      case .atomic: pending.atomic = try reader.count()
      case .made: pending.made = try reader.number()
      case .sent: pending.sent.append(try Self.sent(try reader.row()))
      case .openReport: pending.openReport = try reader.count()
      case .reseal: pending.isReseal = try reader.flag()
      }
    }
    pending.firstEdit = try reader.required(firstEdit)
    pending.edit = try reader.required(edit)
    guard pending.firstEdit <= pending.edit else { throw reader.corrupt }
    self = pending
  }

  private static func sent(_ row: RowReader) throws -> StoredValue? {
    var reader = row
    var value: StoredValue?
    while let field = try reader.next(SentField.self) {
      switch field {
      case .value: value = try reader.value()
      }
    }
    return value
  }

  var row: [UInt8] {
    var writer = RowWriter(reserving: (base?.byteCount ?? 0) + (value?.byteCount ?? 0) + 48)
    writer.write(Field.firstEdit, firstEdit)
    writer.write(Field.edit, edit)
    writer.write(Field.baseVersion, baseVersion)
    writer.write(Field.base, base)
    writer.write(Field.value, value)
    writer.write(Field.atomic, atomic)
    writer.write(Field.made, made)
    writer.write(Field.sent, each: sent) { $0.write(SentField.value, $1) }
    writer.write(Field.openReport, openReport)
    writer.write(Field.reseal, flag: isReseal)
    return writer.bytes
  }
}
