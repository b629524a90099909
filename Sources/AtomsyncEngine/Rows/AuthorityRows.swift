internal import AtomsyncCore
package import Foundation

/// A group's counters, and the epoch of its newest change.
package struct GroupHead: Equatable {
  /// The sequence of the newest change.
  package var counter: Int64 = 0
  /// The highest sequence that a purge has removed; a cursor below it cannot be continued.
  package var horizon: Int64 = 0
  /// When the newest change was written, in milliseconds since 1970.
  var updated: Int64 = 0
  /// The highest version of a purged tombstone: a document that is not known begins above it, so that no version
  /// of an id ever comes twice.
  package var floor: Int64 = 0
  /// The epoch in which the newest change was written. `nil`: the store had no epochs then, and its identity stands in.
  package var epoch: UUID?
  /// An authority that has lost the group to others again and again asks them to wait for its turn.
  package var claim: UUID?

  private enum Field: UInt8, RowField {
    case counter = 1
    case horizon, updated, floor, epoch, claim
  }

  package init() {}

  package init(_ bytes: [UInt8]?) throws {
    guard let bytes else {
      self.init()
      return
    }
    guard RowReader.isTagged(bytes) else {
      try self.init(positional: bytes)
      return
    }
    self.init()
    var reader = try RowReader(bytes)
    while let field = try reader.next(Field.self) {
      switch field {
      case .counter: counter = try reader.count()
      case .horizon: horizon = try reader.count()
      case .updated: updated = try reader.number()
      case .floor: floor = try reader.count()
      case .epoch: epoch = try reader.uuid()
      case .claim: claim = try reader.uuid()
      }
    }
    guard horizon <= counter else { throw reader.corrupt }
  }

  package var bytes: [UInt8] {
    var writer = RowWriter()
    writer.write(Field.counter, counter)
    writer.write(Field.horizon, horizon)
    writer.write(Field.updated, updated)
    writer.write(Field.floor, floor)
    writer.write(Field.epoch, epoch)
    writer.write(Field.claim, claim)
    return writer.bytes
  }
}

/// Where a document is, and its state.
package struct DocumentIndex: Equatable {
  var sequence: Int64
  var version: Int64
  var updated: Int64
  var isDeleted: Bool

  private enum Field: UInt8, RowField {
    case sequence = 1
    case version, updated, deleted
  }

  init(sequence: Int64, version: Int64, updated: Int64, isDeleted: Bool) {
    self.sequence = sequence
    self.version = version
    self.updated = updated
    self.isDeleted = isDeleted
  }

  init(_ bytes: [UInt8]) throws {
    guard RowReader.isTagged(bytes) else {
      try self.init(positional: bytes)
      return
    }
    var reader = try RowReader(bytes)
    var sequence: Int64?
    var version: Int64?
    var updated: Int64 = 0
    var isDeleted = false
    while let field = try reader.next(Field.self) {
      switch field {
      case .sequence: sequence = try reader.count()
      case .version: version = try reader.count()
      case .updated: updated = try reader.number()
      case .deleted: isDeleted = try reader.flag()
      }
    }
    self.init(
      sequence: try reader.required(sequence), version: try reader.required(version), updated: updated,
      isDeleted: isDeleted)
  }

  var bytes: [UInt8] {
    var writer = RowWriter(reserving: 25)
    writer.write(Field.sequence, sequence)
    writer.write(Field.version, version)
    writer.write(Field.updated, updated)
    writer.write(Field.deleted, flag: isDeleted)
    return writer.bytes
  }
}

private enum ChangeField: UInt8, RowField {
  case id = 1
  case version, updated, value
}

extension Document {
  /// A document as the change index holds it.
  package init(change bytes: [UInt8]) throws {
    guard RowReader.isTagged(bytes) else {
      try self.init(positional: bytes)
      return
    }
    var reader = try RowReader(bytes)
    var id: String?
    var version: Int64?
    var updated: Int64 = 0
    var content = Content.deleted
    while let field = try reader.next(ChangeField.self) {
      switch field {
      case .id: id = try reader.text()
      case .version: version = try reader.count()
      case .updated: updated = try reader.number()
      case .value: content = .value(try reader.payload())
      }
    }
    self.init(
      id: try reader.required(id), version: try reader.required(version), updated: updated, content: content)
  }

  package var changeBytes: [UInt8] {
    var writer = RowWriter(reserving: content.byteCount + id.utf8.count + 24)
    writer.write(ChangeField.id, id)
    writer.write(ChangeField.version, version)
    writer.write(ChangeField.updated, updated)
    writer.write(ChangeField.value, content.payload?.bytes)
    return writer.bytes
  }
}

/// Where an earlier epoch of a group ended.
package struct EpochEnd: Equatable {
  /// The sequence of the epoch's last change.
  package var sequence: Int64
  /// When the next epoch began, in milliseconds since 1970.
  package var ended: Int64

  private enum Field: UInt8, RowField {
    case sequence = 1
    case ended
  }

  package init(sequence: Int64, ended: Int64) {
    self.sequence = sequence
    self.ended = ended
  }

  package init(_ bytes: [UInt8]) throws {
    var reader = try RowReader(bytes)
    var sequence: Int64?
    var ended: Int64?
    while let field = try reader.next(Field.self) {
      switch field {
      case .sequence: sequence = try reader.count()
      case .ended: ended = try reader.number()
      }
    }
    self.sequence = try reader.required(sequence)
    self.ended = try reader.required(ended)
  }

  package var bytes: [UInt8] {
    var writer = RowWriter(reserving: 16)
    writer.write(Field.sequence, sequence)
    writer.write(Field.ended, ended)
    return writer.bytes
  }
}

/// The epoch of one authority process: it writes in no other, and nobody else writes in it.
///
/// The row counts the authority's commits, and each commit requires the number that the authority remembers. A store
/// that lost some of them, because it was put back to an earlier state under the running authority, refuses the next
/// one, and the authority begins another epoch.
package struct StoreEpoch: Equatable, Sendable {
  package let id: UUID
  /// When it began, in milliseconds since 1970.
  package var began: Int64
  package var commits: Int64 = 0

  private enum Field: UInt8, RowField {
    case began = 1
    case commits
  }

  package init(id: UUID, began: Int64) {
    self.id = id
    self.began = began
  }

  package init(id: UUID, _ bytes: [UInt8]) throws {
    var reader = try RowReader(bytes)
    var began: Int64?
    var commits: Int64 = 0
    while let field = try reader.next(Field.self) {
      switch field {
      case .began: began = try reader.number()
      case .commits: commits = try reader.count()
      }
    }
    self.init(id: id, began: try reader.required(began))
    self.commits = commits
  }

  package var bytes: [UInt8] {
    var writer = RowWriter(reserving: 16)
    writer.write(Field.began, began)
    writer.write(Field.commits, commits)
    return writer.bytes
  }
}

/// When the store was last looked through for what can be purged.
struct PurgeRecord: Equatable {
  /// In milliseconds since 1970, by the clock of whoever looked.
  var looked: Int64

  private enum Field: UInt8, RowField { case looked = 1 }

  init(looked: Int64) { self.looked = looked }

  init(_ bytes: [UInt8]) throws {
    var reader = try RowReader(bytes)
    var looked: Int64?
    while let field = try reader.next(Field.self) {
      switch field {
      case .looked: looked = try reader.number()
      }
    }
    self.looked = try reader.required(looked)
  }

  var bytes: [UInt8] {
    var writer = RowWriter()
    writer.write(Field.looked, looked)
    return writer.bytes
  }
}

/// A client's last push and what was said to it. Values are not kept: a replay reads them again.
package struct PushRecord {
  var number: Int64
  /// When it was judged; records expire with the retention.
  var judged: Int64
  /// Tells pushes with the same number apart.
  var digest: Int64
  var accepted: [PushAnswer.Acceptance]
  /// Without the documents of the server's, which are read anew.
  var rejected: [PushAnswer.Rejection]

  private enum Field: UInt8, RowField {
    case number = 1
    case judged, digest, accepted, rejected
  }

  private enum VerdictField: UInt8, RowField {
    case id = 1
    case version, updated, reason, message
  }

  init(number: Int64, judged: Int64, digest: Int64, answer: PushAnswer) {
    self.number = number
    self.judged = judged
    self.digest = digest
    accepted = answer.accepted
    rejected = answer.rejected.map { .init(id: $0.id, reason: $0.reason, message: $0.message) }
  }

  init(_ bytes: [UInt8]) throws {
    var reader = try RowReader(bytes)
    var number: Int64?
    var judged: Int64?
    var digest: Int64?
    accepted = []
    rejected = []
    while let field = try reader.next(Field.self) {
      switch field {
      case .number: number = try reader.count()
      case .judged: judged = try reader.number()
      case .digest: digest = try reader.number()
      case .accepted: accepted.append(try Self.acceptance(try reader.row()))
      case .rejected: rejected.append(try Self.rejection(try reader.row()))
      }
    }
    self.number = try reader.required(number)
    self.judged = try reader.required(judged)
    self.digest = try reader.required(digest)
  }

  private static func acceptance(_ row: RowReader) throws -> PushAnswer.Acceptance {
    let verdict = try verdict(row)
    return .init(id: verdict.id, version: try row.required(verdict.version), updated: verdict.updated)
  }

  private static func rejection(_ row: RowReader) throws -> PushAnswer.Rejection {
    let verdict = try verdict(row)
    return .init(
      id: verdict.id, reason: RejectionReason(try row.required(verdict.reason)), message: verdict.message)
  }

  private static func verdict(
    _ row: RowReader
  ) throws -> (id: String, version: Int64?, updated: Int64, reason: String?, message: String?) {
    var reader = row
    var id: String?
    var version: Int64?
    var updated: Int64 = 0
    var (reason, message): (String?, String?) = (nil, nil)
    while let field = try reader.next(VerdictField.self) {
      switch field {
      case .id: id = try reader.text()
      case .version: version = try reader.count()
      case .updated: updated = try reader.number()
      case .reason: reason = try reader.text()
      case .message: message = try reader.text()
      }
    }
    return (try reader.required(id), version, updated, reason, message)
  }

  var bytes: [UInt8] {
    var writer = RowWriter(reserving: 48 + 32 * (accepted.count + rejected.count))
    writer.write(Field.number, number)
    writer.write(Field.judged, judged)
    writer.write(Field.digest, digest)
    writer.write(Field.accepted, each: accepted) { writer, acceptance in
      writer.write(VerdictField.id, acceptance.id)
      writer.write(VerdictField.version, acceptance.version)
      writer.write(VerdictField.updated, acceptance.updated)
    }
    writer.write(Field.rejected, each: rejected) { writer, rejection in
      writer.write(VerdictField.id, rejection.id)
      writer.write(VerdictField.reason, rejection.reason.text)
      if let message = rejection.message { writer.write(VerdictField.message, message) }
    }
    return writer.bytes
  }
}
