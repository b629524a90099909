package import AtomsyncCore
package import Foundation

/// What a store says of itself, under a key that sorts before all others.
package struct StoreHeader: Equatable {
  package enum Kind: String {
    case authority
    case replica

    var noun: String {
      switch self {
      case .authority: "a server's store"
      case .replica: "a client's store"
      }
    }
  }

  /// The layout of keys and records that this code writes. A newer one is refused, never guessed.
  static let currentFormat: Int64 = 2
  static let key = TupleKey(.header).appending("atomsync").bytes
  /// The key, for those who copy rows without looking at them.
  package static var rowKey: [UInt8] { key }

  var format: Int64
  var kind: Kind
  /// Made when the store is created. A store that was copied or restored keeps it: its epochs tell it from what it was.
  package var identity: UUID

  /// Positions for ever, so that any program can read the format and refuse what is newer: the format in eight bytes,
  /// the kind with its length in four bytes before it, the identity in sixteen.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    withUnsafeBytes(of: format.bigEndian) { bytes.append(contentsOf: $0) }
    withUnsafeBytes(of: UInt32(kind.rawValue.utf8.count).bigEndian) { bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: kind.rawValue.utf8)
    withUnsafeBytes(of: identity.uuid) { bytes.append(contentsOf: $0) }
    return bytes
  }

  package init(kind: Kind, identity: UUID = UUID(), format: Int64 = currentFormat) {
    self.format = format
    self.kind = kind
    self.identity = identity
  }

  /// - Throws: `newerFormat`, `foreign` or `corrupt`.
  init(_ bytes: [UInt8], expecting expected: Kind) throws {
    var reader = PositionalReader(bytes)
    format = try reader.number()
    guard format <= Self.currentFormat else {
      throw StorageError(
        .newerFormat,
        "The store has format \(format), and this Atomsync reads up to \(Self.currentFormat). Use a newer Atomsync."
      )
    }
    guard let kind = Kind(rawValue: try reader.text()) else {
      throw StorageError(
        .foreign, "The store is of a kind that this Atomsync does not know. Use another path.")
    }
    guard kind == expected else {
      throw StorageError(
        .foreign, "This is \(kind.noun), and \(expected.noun) is needed. Use another path.")
    }
    self.kind = kind
    identity = try reader.uuid()
  }

  /// Whether `storage` has a header of the kind. Nothing is changed.
  ///
  /// - Throws: `newerFormat`, `foreign` or `corrupt`.
  package static func check(_ storage: any Storage, kind: Kind) async throws {
    guard let bytes = try await storage.read(StorageQuery(keys: [key])).values.first ?? nil else {
      throw StorageError(.foreign, "The store has no Atomsync header. Is it the right path?")
    }
    try check(bytes, kind: kind)
  }

  /// Whether the bytes are a header of the kind.
  ///
  /// - Throws: `newerFormat`, `foreign` or `corrupt`.
  package static func check(_ bytes: [UInt8], kind: Kind) throws {
    _ = try StoreHeader(bytes, expecting: kind)
  }

  /// Reads the header of `storage`, or makes it one if it is empty. A store of an earlier format is marked as one of
  /// this format, so that no earlier program opens it any more; its rows are still read, and written anew as they change.
  package static func open(_ storage: any Storage, kind: Kind) async throws -> StoreHeader {
    let snapshot = try await storage.read(StorageQuery(keys: [key], scans: [StorageScan(.all, limit: 1)]))
    if let bytes = snapshot.values.first ?? nil {
      var header = try StoreHeader(bytes, expecting: kind)
      guard header.format < currentFormat else { return header }
      header.format = currentFormat
      _ = try await storage.commit(
        StorageBatch(preconditions: [.equals(key, bytes)], writes: [.put(key, header.bytes)]))
      return header
    }
    guard snapshot.scans.first?.entries.isEmpty ?? true else {
      throw StorageError(
        .foreign, "The store holds data, but no Atomsync header. Use another path; nothing was changed.")
    }
    let header = StoreHeader(kind: kind)
    switch try await storage.commit(header.creation) {
    case .committed: return header
    case .refused: return try await open(storage, kind: kind)  // another process was faster
    }
  }
}

extension StoreHeader {
  /// Makes an empty store one of this header's.
  package var creation: StorageBatch {
    StorageBatch(preconditions: [.absent(Self.key)], writes: [.put(Self.key, bytes)])
  }

  /// Puts this header in the place of a store's.
  package var replacement: StorageBatch { StorageBatch(writes: [.put(Self.key, bytes)]) }
}
