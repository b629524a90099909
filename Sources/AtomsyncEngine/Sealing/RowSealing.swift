internal import AtomsyncCore

/// Seals the rows of one atom, so that who has the store and no key sees how many they are, how large, and the atom's name.
///
/// A row's value is sealed with the document's id in it, and its key has pseudonyms in place of names, so that ranges are
/// still ranges. Pseudonyms are made by a secret of the store, which is in the atom's row, so that they stay when keys change.
/// Only the row of the atom itself is found by its name: to open an atom without its key has to be an error, and not an empty
/// atom.
struct RowSealing: Sendable {
  /// The first byte of a sealed row. Others begin with ``RowWriter/format``.
  static let format: UInt8 = 2

  let cipher: any Cipher
  private let atom: String
  private let secret: String
  private let pseudonym: String

  /// - Parameter secret: of the store: a text that nobody guesses.
  init(_ cipher: any Cipher, atom: String, secret: String) {
    self.cipher = cipher
    self.atom = atom
    self.secret = secret
    pseudonym = cipher.pseudonym(of: "atom\0\(atom)", secret: Array(secret.utf8))
  }

  // MARK: Keys

  private static let named: Set<UInt8> = Set([Space.base, .pending, .rejected, .verdict].map(\.rawValue))

  /// Where the atom's row is.
  var atomRow: [UInt8] { TupleKey(.atom).appending(atom).bytes }

  /// The rows of one kind.
  func sealedRange(_ space: Space) -> KeyRange {
    KeyRange(prefix: TupleKey(space).appending(pseudonym).bytes)
  }
  func plainRange(_ space: Space) -> KeyRange { KeyRange(prefix: TupleKey(space).appending(atom).bytes) }

  /// A key, or a bound of a range of keys, as it is in the store.
  func sealed(_ key: [UInt8]) -> [UInt8] {
    guard let first = key.first, let space = Space(rawValue: first), space != .atom else { return key }
    let plain = TupleKey(space).appending(atom).bytes
    let hidden = TupleKey(space).appending(pseudonym).bytes
    guard key.starts(with: plain) else {
      return key == KeyRange.successor(ofPrefix: plain) ? KeyRange.successor(ofPrefix: hidden) ?? key : key
    }
    guard Self.named.contains(first), key.count > plain.count else {
      return hidden + key.dropFirst(plain.count)
    }
    if let end = TupleKey.endOfText(in: key, after: plain.count) {
      let id = TupleKey.text(in: key, after: plain.count) ?? ""
      return hidden + Array(name(id).utf8) + key[end...]
    }
    // The end of a document's rows: its id, and one more than the 00 that closes it.
    let id = TupleKey.text(in: key.dropLast() + [0], after: plain.count) ?? ""
    return hidden + Array(name(id).utf8) + key.suffix(1)
  }

  private func name(_ id: String) -> String {
    cipher.pseudonym(of: "row\0\(id)", secret: Array(secret.utf8))
  }

  func sealed(_ range: KeyRange) -> KeyRange {
    KeyRange(from: sealed(range.lower), to: range.upper.map { sealed($0) })
  }

  // MARK: Rows

  /// - Throws: what the cipher throws.
  func sealed(_ entry: StorageEntry) throws -> StorageEntry {
    let prefix = TupleKey(.base).appending(atom).bytes.count
    let isNamed = entry.key.first.map { Self.named.contains($0) } ?? false
    let isAtomRow = entry.key.first == Space.atom.rawValue
    let id = isNamed ? TupleKey.text(in: entry.key, after: prefix) ?? "" : isAtomRow ? secret : ""
    let key = sealed(entry.key)
    var writer = FrameWriter(reserving: entry.value.count + id.utf8.count + 6)
    writer.write(id)
    writer.write(entry.value)
    var random = SystemRandomNumberGenerator()
    let salt = withUnsafeBytes(of: (random.next(), random.next())) { Array($0) }
    let parts = try cipher.seal(writer.padded, binding: Self.binding(key), salt: salt)
    return StorageEntry(key: key, value: [Self.format] + parts.key.bytes + parts.bytes)
  }

  /// A row as it was before it was sealed; one that never was, as it is.
  ///
  /// - Throws: ``SyncError`` (`encrypted`) without its key, `StorageError` (`corrupt`).
  func opened(_ entry: StorageEntry) throws -> StorageEntry {
    guard entry.value.first == Self.format else { return entry }
    let (id, row) = try content(entry)
    guard let first = entry.key.first, let space = Space(rawValue: first), space != .atom else {
      return StorageEntry(key: entry.key, value: row)
    }
    var key = TupleKey(space).appending(atom)
    var rest = entry.key.dropFirst(TupleKey(space).appending(pseudonym).bytes.count)
    if Self.named.contains(first) {
      key = key.appending(id)
      rest = rest.dropFirst(name(id).utf8.count + 1)
    }
    return StorageEntry(key: key.bytes + rest, value: row)
  }

  private func content(_ entry: StorageEntry) throws -> (id: String, row: [UInt8]) {
    try Self.content(entry, cipher, atom)
  }

  /// The name that is in a sealed row, and the row: a document's id, or in the atom's own row the store's secret.
  ///
  /// - Throws: ``SyncError`` (`encrypted`) without its key, `StorageError` (`corrupt`).
  static func content(
    _ entry: StorageEntry, _ cipher: any Cipher, _ atom: String
  ) throws -> (id: String, row: [UInt8]) {
    guard let key = sealKey(of: entry.value) else { throw Self.corrupt }
    do throws(CipherError) {
      let sealed = SealedBytes(key: key, bytes: Array(entry.value[9...]))
      var reader = FrameReader(try cipher.open(sealed, binding: binding(entry.key)))
      return (try reader.text(), try reader.content())
    } catch {
      switch error {
      case .damaged: throw Self.corrupt
      case .unknownKey(let key):
        throw SyncError(
          .encrypted,
          "The atom \(atom) is sealed in this store by the key \(key), which was not given. Give it, among those that read if there is a newer one."
        )
      }
    }
  }

  /// The key that a row is sealed by; `nil` for one that is not sealed.
  static func sealKey(of row: [UInt8]) -> KeyID? {
    guard row.first == format, row.count > 9 else { return nil }
    return KeyID(bytes: row[1..<9])
  }

  private static func binding(_ key: [UInt8]) -> [UInt8] { Array("atomsync/1/row\0".utf8) + key }

  private static let corrupt = StorageError(
    .corrupt, "A sealed row in the store cannot be opened. Restore the store from a backup.")

  // MARK: Batches

  /// - Throws: what the cipher throws.
  func sealed(_ batch: StorageBatch) throws -> StorageBatch {
    var batch = batch
    batch.writes = try batch.writes.map { write in
      switch write {
      case .put(let key, let value):
        let entry = try sealed(StorageEntry(key: key, value: value))
        return .put(entry.key, entry.value)
      case .delete(let key): return .delete(sealed(key))
      }
    }
    return batch
  }
}
