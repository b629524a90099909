internal import AtomsyncCore
internal import Foundation

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
  static let currentFormat: Int64 = 1
  static let key = TupleKey(.header).appending("atomsync").bytes

  var format: Int64
  var kind: Kind
  /// Made when the store is created, replaced when it is restored from a dump.
  var identity: UUID

  var bytes: [UInt8] {
    var writer = RecordWriter()
    writer.write(format)
    writer.write(kind.rawValue)
    writer.write(identity)
    return writer.bytes
  }

  init(kind: Kind, identity: UUID = UUID(), format: Int64 = currentFormat) {
    self.format = format
    self.kind = kind
    self.identity = identity
  }

  /// - Throws: `newerFormat`, `foreign` or `corrupt`.
  init(_ bytes: [UInt8], expecting expected: Kind) throws {
    var reader = RecordReader(bytes)
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

  /// Reads the header of `storage`, or makes it one if it is empty.
  static func open(_ storage: any Storage, kind: Kind) async throws -> StoreHeader {
    let snapshot = try await storage.read(StorageQuery(keys: [key], scans: [StorageScan(.all, limit: 1)]))
    if let bytes = snapshot.values.first ?? nil { return try StoreHeader(bytes, expecting: kind) }
    guard snapshot.scans.first?.entries.isEmpty ?? true else {
      throw StorageError(
        .foreign, "The store holds data, but no Atomsync header. Use another path; nothing was changed.")
    }
    let header = StoreHeader(kind: kind)
    switch try await storage.commit(
      StorageBatch(preconditions: [.absent(key)], writes: [.put(key, header.bytes)]))
    {
    case .committed: return header
    case .refused: return try await open(storage, kind: kind)  // another process was faster
    }
  }
}
