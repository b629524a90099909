internal import AtomsyncCore
internal import Foundation

// How an authority's documents lie in a store. The values are in the change index, by sequence, so that a pull is
// one scan; the document index says where, and what is needed to judge a push.

package enum AuthorityKey {
  package static func head(_ group: String) -> [UInt8] { TupleKey(.group).appending(group).bytes }
  static let heads = KeyRange(prefix: TupleKey(.group).bytes)
  static func document(_ group: String, _ id: String) -> [UInt8] {
    TupleKey(.document).appending(group).appending(id).bytes
  }
  static func change(_ group: String, _ sequence: Int64) -> [UInt8] {
    TupleKey(.change).appending(group).appending(sequence).bytes
  }
  static func push(_ group: String, _ client: UUID) -> [UInt8] {
    TupleKey(.push).appending(group).appending(client.uuidString).bytes
  }
  static func pushes(_ group: String) -> KeyRange {
    KeyRange(prefix: TupleKey(.push).appending(group).bytes)
  }

  /// The changes of a group whose sequence is greater than `sequence`.
  static func changes(_ group: String, after sequence: Int64) -> KeyRange {
    let prefix = TupleKey(.change).appending(group).bytes
    return KeyRange(from: change(group, sequence + 1), to: KeyRange.successor(ofPrefix: prefix))
  }
}

/// A group's counters.
package struct GroupHead: Equatable {
  /// The sequence of the newest change.
  package var counter: Int64 = 0
  /// The highest sequence that a purge has removed; a cursor below it cannot be continued.
  var horizon: Int64 = 0
  /// When the newest change was written. `updated` never falls along the sequence.
  var updated: Int64 = 0
  /// The highest version of a purged tombstone: a document that is not known begins above it, so that no version
  /// of an id ever comes twice.
  var floor: Int64 = 0

  init() {}

  package init(_ bytes: [UInt8]?) throws {
    guard let bytes else { return }
    var reader = RecordReader(bytes)
    counter = try reader.number()
    horizon = try reader.number()
    updated = try reader.number()
    floor = try reader.number()
  }

  var bytes: [UInt8] {
    var writer = RecordWriter(reserving: 32)
    writer.write(counter)
    writer.write(horizon)
    writer.write(updated)
    writer.write(floor)
    return writer.bytes
  }
}

/// Where a document is, and its state.
struct DocumentIndex: Equatable {
  var sequence: Int64
  var version: Int64
  var updated: Int64
  var isDeleted: Bool

  init(sequence: Int64, version: Int64, updated: Int64, isDeleted: Bool) {
    self.sequence = sequence
    self.version = version
    self.updated = updated
    self.isDeleted = isDeleted
  }

  init(_ bytes: [UInt8]) throws {
    var reader = RecordReader(bytes)
    sequence = try reader.number()
    version = try reader.number()
    updated = try reader.number()
    isDeleted = try reader.flag()
  }

  var bytes: [UInt8] {
    var writer = RecordWriter(reserving: 25)
    writer.write(sequence)
    writer.write(version)
    writer.write(updated)
    writer.write(isDeleted)
    return writer.bytes
  }
}

extension Document {
  init(change bytes: [UInt8]) throws {
    var reader = RecordReader(bytes)
    self.init(
      id: try reader.text(), version: try reader.number(), updated: try reader.number(),
      content: try reader.content())
  }

  var changeBytes: [UInt8] {
    var writer = RecordWriter(reserving: content.byteCount + id.utf8.count + 32)
    writer.write(id)
    writer.write(version)
    writer.write(updated)
    writer.write(content)
    return writer.bytes
  }
}

/// A client's last push and what was said to it. Values are not kept: a replay reads them again.
struct PushRecord: Equatable {
  var number: Int64
  /// When it was judged; records expire with the retention.
  var judged: Int64
  var accepted: [PushAnswer.Acceptance]
  var rejected: [(id: String, reason: RejectionReason)]
  /// What was pushed; `nil` in a record of before it was kept.
  var digest: Int64?

  init(number: Int64, digest: Int64, answer: PushAnswer) {
    self.number = number
    self.digest = digest
    judged = answer.now
    accepted = answer.accepted
    rejected = answer.rejected.map { ($0.id, $0.reason) }
  }

  init(_ bytes: [UInt8]) throws {
    var reader = RecordReader(bytes)
    number = try reader.number()
    judged = try reader.number()
    accepted = try reader.list {
      PushAnswer.Acceptance(id: try $0.text(), version: try $0.number(), updated: try $0.number())
    }
    rejected = try reader.list { (try $0.text(), RejectionReason(try $0.text())) }
    digest = reader.isAtEnd ? nil : try reader.number()
  }

  var bytes: [UInt8] {
    var writer = RecordWriter()
    writer.write(number)
    writer.write(judged)
    writer.list(accepted) { writer, acceptance in
      writer.write(acceptance.id)
      writer.write(acceptance.version)
      writer.write(acceptance.updated)
    }
    writer.list(rejected) { writer, rejection in
      writer.write(rejection.id)
      writer.write(rejection.reason.text)
    }
    if let digest { writer.write(digest) }
    return writer.bytes
  }

  static func == (left: PushRecord, right: PushRecord) -> Bool { left.bytes == right.bytes }
}
