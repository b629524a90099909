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
  /// The store's rows are being sealed, or made plain again: some may be in the other form.
  var isConverting = false
  /// When ``age`` was last advanced, by this machine's clock.
  private var ageRead: Int64?

  private enum Field: UInt8, RowField {
    case client = 1
    case group, store, user, push, edit, conflict, cursor, seen, generation, resetting, synced, revoked, age,
      ageRead, sealKey, idKey, converting
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
      case .converting: record.isConverting = try reader.flag()
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
    writer.write(Field.converting, flag: isConverting)
    writer.write(Field.idKey, idKey.map { Int64(bitPattern: $0.number) })
    return writer.bytes
  }

  // MARK: How it is opened

  /// - Throws: ``SyncError`` (`wrongGroup`) when these are another group's documents.
  func check(group: String) throws {
    guard let ours = self.group, ours != group else { return }
    throw SyncError(
      .wrongGroup,
      "The atom of this name holds the documents of the group \(ours), not of \(group). Open \(group) under a name of its own."
    )
  }

  /// - Throws: ``SyncError`` (`encrypted`) unless the atom is opened with keys as it was before.
  func check(_ encryption: Encryption?) throws {
    if let key = sealKey {
      guard let encryption else {
        throw SyncError(.encrypted, "The atom is encrypted: open it with its key, which is called \(key).")
      }
      guard encryption.cipher.keyIDs.contains(key) else {
        throw SyncError(
          .encrypted,
          "The atom was last sealed by the key \(key), and none of those given is it. Give it, among those that read if there is a newer one."
        )
      }
    }
    guard idKey != Self.idKey(encryption) else { return }
    throw SyncError(
      .encrypted,
      idKey.map {
        "The ids of the atom's documents are hidden by the key \($0). Open it with hidden ids and that key for them."
      } ?? "The ids of the atom's documents are not hidden. Hide those of a new group from its beginning.")
  }

  /// Takes note of the keys that it is opened with. Returns whether they are others than before.
  mutating func take(_ encryption: Encryption?) -> Bool {
    let (key, ids) = (encryption?.cipher.keyID, Self.idKey(encryption))
    guard sealKey != key || idKey != ids else { return false }
    (sealKey, idKey) = (key, ids)
    return true
  }

  private static func idKey(_ encryption: Encryption?) -> KeyID? {
    encryption.flatMap { $0.hidesIDs ? $0.cipher.pseudonymKeyID : nil }
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
