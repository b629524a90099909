internal import AtomsyncCore
internal import Transit

/// A server's verdict on some edits of a document, as it is stored.
package struct VerdictRow: Equatable, Sendable {
  package var verdict: Verdict
  /// The first of the edits that the verdict is on. The last one is in the row's key.
  package var firstEdit: Int64
  /// The atom's age when the verdict came, in milliseconds.
  package var age: Int64

  private enum Field: UInt8, RowField {
    case firstEdit = 1
    case age, accepted, rejected, superseded, discarded
  }

  package init(_ verdict: Verdict, firstEdit: Int64, age: Int64) {
    self.verdict = verdict
    self.firstEdit = firstEdit
    self.age = age
  }

  package init(_ bytes: [UInt8]) throws {
    guard RowReader.isTagged(bytes) else {
      try self.init(positional: bytes)
      return
    }
    var reader = try RowReader(bytes)
    var verdict: Verdict?
    var (firstEdit, age): (Int64, Int64) = (0, 0)
    while let field = try reader.next(Field.self) {
      switch field {
      case .firstEdit: firstEdit = try reader.count()
      case .age: age = try reader.count()
      case .accepted: verdict = .accepted(version: try reader.count())
      case .rejected: verdict = .rejected(reason: try reader.text())
      case .superseded: verdict = .superseded(conflict: try reader.count())
      case .discarded: verdict = try reader.flag() ? .discarded : nil
      }
    }
    self.init(try reader.required(verdict), firstEdit: firstEdit, age: age)
  }

  var bytes: [UInt8] {
    var writer = RowWriter(reserving: 24)
    writer.write(Field.firstEdit, firstEdit)
    writer.write(Field.age, age)
    switch verdict {
    case .accepted(let version): writer.write(Field.accepted, version)
    case .rejected(let reason): writer.write(Field.rejected, reason)
    case .superseded(let conflict): writer.write(Field.superseded, conflict)
    case .discarded: writer.write(Field.discarded, flag: true)
    }
    return writer.bytes
  }
}

/// A rejection with its value as it is stored.
struct RejectedEdit: Sendable {
  let rejection: Rejection
  let value: StoredValue?

  private enum Field: UInt8, RowField {
    case reason = 1
    case value, detected, message
  }

  init(_ rejection: Rejection, _ value: StoredValue?) {
    self.rejection = rejection
    self.value = value
  }

  init(document: String, row bytes: [UInt8]) throws {
    guard RowReader.isTagged(bytes) else {
      try self.init(document: document, positional: bytes)
      return
    }
    var reader = try RowReader(bytes)
    var (reason, message): (String?, String?) = (nil, nil)
    var value: StoredValue?
    var detected: Int64 = 0
    while let field = try reader.next(Field.self) {
      switch field {
      case .reason: reason = try reader.text()
      case .value: value = try reader.value()
      case .detected: detected = try reader.number()
      case .message: message = try reader.text()
      }
    }
    self.init(
      Rejection(
        document: document, reason: try reader.required(reason), message: message, value: value?.value,
        detectedAt: .init(milliseconds: detected)), value)
  }

  var row: [UInt8] {
    var writer = RowWriter()
    writer.write(Field.reason, rejection.reason)
    writer.write(Field.value, value)
    writer.write(Field.detected, rejection.detectedAt.milliseconds)
    if let message = rejection.message { writer.write(Field.message, message) }
    return writer.bytes
  }
}

/// A conflict with its values as they are stored.
struct ConflictRow: Sendable {
  var conflict: Conflict
  var base: StoredValue?
  var local: StoredValue?
  var remote: StoredValue?
  /// The atom's age when the conflict was detected, in milliseconds.
  var age: Int64

  private enum Field: UInt8, RowField {
    case document = 1
    case base, local, remote, detected, age, outcome, reason
  }

  /// The numbers of outcomes in rows.
  private enum Kind: Int64 {
    case serverWon = 0
    case localWon, merged, open, overtaken, rolledBack
  }

  init(
    number: Int64, document: String, base: StoredValue?, local: StoredValue?, remote: StoredValue?,
    outcome: Conflict.Outcome, detected: Int64, age: Int64
  ) {
    conflict = Conflict(
      id: number, document: document, base: base?.value, local: local?.value, remote: remote?.value,
      outcome: outcome, detectedAt: .init(milliseconds: detected))
    self.base = base
    self.local = local
    self.remote = remote
    self.age = age
  }

  init(number: Int64, row bytes: [UInt8]) throws {
    guard RowReader.isTagged(bytes) else {
      try self.init(number: number, positional: bytes)
      return
    }
    var reader = try RowReader(bytes)
    var (base, local, remote): (StoredValue?, StoredValue?, StoredValue?)
    var document: String?
    var kind: Int64?
    var reason = ""
    var (detected, age): (Int64, Int64) = (0, 0)
    while let field = try reader.next(Field.self) {
      switch field {
      case .document: document = try reader.text()
      case .base: base = try reader.value()
      case .local: local = try reader.value()
      case .remote: remote = try reader.value()
      case .detected: detected = try reader.number()
      case .age: age = try reader.count()
      case .outcome: kind = try reader.number()
      case .reason: reason = try reader.text()
      }
    }
    self.init(
      number: number, document: try reader.required(document), base: base, local: local, remote: remote,
      outcome: try Self.outcome(try reader.required(kind), reason), detected: detected, age: age)
  }

  static func outcome(_ kind: Int64, _ reason: String) throws -> Conflict.Outcome {
    switch Kind(rawValue: kind) {
    case .serverWon: .serverWon
    case .localWon: .localWon
    case .merged: .merged
    case .open: .open(reason)
    case .overtaken: .overtaken
    case .rolledBack: .rolledBack
    case nil: throw RowReader.newer("a conflict of a kind that this one does not know (\(kind))")
    }
  }

  var bytes: [UInt8] {
    var writer = RowWriter(reserving: byteCount)
    writer.write(Field.document, conflict.document)
    writer.write(Field.base, base)
    writer.write(Field.local, local)
    writer.write(Field.remote, remote)
    writer.write(Field.detected, conflict.detectedAt.milliseconds)
    writer.write(Field.age, age)
    let (kind, reason): (Kind, String?) =
      switch conflict.outcome {
      case .serverWon: (.serverWon, nil)
      case .localWon: (.localWon, nil)
      case .merged: (.merged, nil)
      case .open(let reason): (.open, reason)
      case .overtaken: (.overtaken, nil)
      case .rolledBack: (.rolledBack, nil)
      }
    writer.write(Field.outcome, kind.rawValue)
    writer.write(Field.reason, reason)
    return writer.bytes
  }

  /// About how much memory it takes.
  var byteCount: Int {
    (base?.byteCount ?? 0) + (local?.byteCount ?? 0) + (remote?.byteCount ?? 0)
      + conflict.document.utf8.count + 64
  }
}
