internal import AtomsyncCore
internal import Foundation

/// What an atom remembers of its server and itself.
struct AtomRecord: Equatable, Sendable {
  /// Names this replica to the server.
  var client: UUID
  /// The group whose documents these are. `nil` until the row is first written.
  var group: String?
  /// The identity of the server's store that the base comes from.
  var store: UUID?
  /// The user that the server took us for.
  var user: String?
  /// The number of the last push that was frozen.
  var push: Int64 = 0
  /// The number of the last local edit.
  var edit: Int64 = 0
  /// The number of the last conflict.
  var conflict: Int64 = 0
  /// How far the base goes.
  var cursor: Cursor?
  /// The newest place in the group's history that a verdict has told of, until a page goes beyond it.
  var seen: Cursor?
  /// Rises with each reset; base rows of an older generation fall when the reset completes.
  var generation: Int64 = 0
  /// A reset's pages are coming in.
  var isResetting = false
  /// The whole content has been here at least once.
  var hasSynced = false
  /// The permission to read was withdrawn, and has not come back.
  var isRevoked = false
  /// The time for which the atom has been in use, in milliseconds: see ``advanceAge(to:)``.
  var age: Int64 = 0
  /// The key that the atom's documents are sealed by; `nil` when they are not.
  var sealKey: KeyID?
  /// The key that hides the ids of documents; `nil` when they are shown.
  var idKey: KeyID?
  /// When ``age`` was last advanced, by this machine's clock.
  private var ageRead: Int64?

  private enum Field: UInt8, RowField {
    case client = 1
    case group, store, user, push, edit, conflict, cursor, seen, generation, resetting, synced, revoked, age,
      ageRead, sealKey, idKey
  }

  init(client: UUID) { self.client = client }

  init(_ bytes: [UInt8]) throws {
    var reader = try RowReader(bytes)
    var client: UUID?
    var record = AtomRecord(client: .zero)
    while let field = try reader.next(Field.self) {
      switch field {
      case .client: client = try reader.uuid()
      case .group: record.group = try reader.text()
      case .store: record.store = try reader.uuid()
      case .user: record.user = try reader.text()
      case .push: record.push = try reader.count()
      case .edit: record.edit = try reader.count()
      case .conflict: record.conflict = try reader.count()
      case .cursor: record.cursor = Cursor(try reader.text())
      case .seen: record.seen = Cursor(try reader.text())
      case .generation: record.generation = try reader.count()
      case .resetting: record.isResetting = try reader.flag()
      case .synced: record.hasSynced = try reader.flag()
      case .revoked: record.isRevoked = try reader.flag()
      case .age: record.age = try reader.count()
      case .ageRead: record.ageRead = try reader.number()
      case .sealKey: record.sealKey = KeyID(UInt64(bitPattern: try reader.number()))
      case .idKey: record.idKey = KeyID(UInt64(bitPattern: try reader.number()))
      }
    }
    record.client = try reader.required(client)
    self = record
  }

  var bytes: [UInt8] {
    var writer = RowWriter(reserving: 256)
    writer.write(Field.client, client)
    writer.write(Field.group, group)
    writer.write(Field.store, store)
    writer.write(Field.user, user)
    writer.write(Field.push, push)
    writer.write(Field.edit, edit)
    writer.write(Field.conflict, conflict)
    writer.write(Field.cursor, cursor?.text)
    writer.write(Field.seen, seen?.text)
    writer.write(Field.generation, generation)
    writer.write(Field.resetting, flag: isResetting)
    writer.write(Field.synced, flag: hasSynced)
    writer.write(Field.revoked, flag: isRevoked)
    writer.write(Field.age, age)
    writer.write(Field.ageRead, ageRead)
    writer.write(Field.sealKey, sealKey.map { Int64(bitPattern: $0.number) })
    writer.write(Field.idKey, idKey.map { Int64(bitPattern: $0.number) })
    return writer.bytes
  }

  /// Counts the time since the last call, a day at most: a clock that jumps ahead by years makes nothing older than a
  /// day, and one that jumps back makes nothing younger. What is to be kept for a while is kept by this age.
  ///
  /// - Returns: whether the atom is so much older, an hour, that it should be written down.
  mutating func advanceAge(to now: Int64) -> Bool {
    let passed = ageRead.map { min(max(now &- $0, 0), Self.day) } ?? 0
    age += passed
    ageRead = now
    return passed >= Self.day / 24
  }

  private static let day: Int64 = 24 * 3600 * 1000
}
