public import AtomsyncCore
public import AtomsyncEngine
internal import Foundation
public import Transit

/// A client's store, and the atoms in it.
///
/// One process has a store open at a time, because an atom's memory is ahead of its disk.
public final class AtomsyncClient: Sendable {
  private struct State {
    /// `nil` while an atom is being opened.
    var atoms: [String: Replica?] = [:]
    /// What those wait for who have closed the client.
    var closing: Promise<Void>?

    var isClosed: Bool { closing != nil }

    /// False when the client was closed meanwhile.
    mutating func add(_ replica: Replica) -> Bool {
      if !isClosed { atoms[replica.name] = .some(replica) }
      return !isClosed
    }

    /// Does nothing when the name belongs to another replica by now.
    mutating func remove(_ name: String, _ replica: Replica?) {
      if let owner = atoms[name], owner === replica { atoms[name] = nil }
    }
  }

  /// How long the opening and closing of an atom wait for disk and transport.
  private static let patience = Duration.seconds(30)

  private let configuration: AtomsyncConfiguration
  private let storage: any Storage
  private let queue: CommitQueue
  private let state = Lock(State())

  /// Opens the configuration's storage as a client's store, creating it if there is none.
  ///
  /// - Throws: `StorageError`: the store cannot be opened, is in use, is a server's, or has a newer format.
  public static func open(_ configuration: AtomsyncConfiguration) async throws -> AtomsyncClient {
    let storage = try await configuration.storage.open(.exclusive)
    do {
      _ = try await StoreHeader.open(storage, kind: .replica)
    } catch {
      await storage.close()
      throw error
    }
    return AtomsyncClient(configuration, storage)
  }

  private init(_ configuration: AtomsyncConfiguration, _ storage: any Storage) {
    self.configuration = configuration
    self.storage = storage
    queue = CommitQueue(storage, configuration)
  }

  /// Opens an atom of Transit values.
  ///
  /// - Parameters:
  ///   - group: the group on the server, and the atom's name in this store.
  ///   - name: another name in this store, for a group that several users or servers share.
  ///   - transport: the way to the server; `nil` to stay on this machine.
  ///   - conflicts: who wins when a document was changed here and on the server.
  ///   - encryption: the keys that seal what leaves this device; the module AtomsyncEncryption has them. The server then
  ///     stores and syncs what it cannot read.
  /// - Throws: `SyncError` (`invalidDocument` for a bad name, `wrongGroup` when the atom of this name holds another
  ///   group's documents, `encrypted` when it is not opened with the keys that it was opened with before, `stopped` when
  ///   the client is closed or the atom is open already), `StorageError`, or what the transport throws when it is made or
  ///   the encryption when it fetches its keys. O(documents).
  public func atom(
    _ group: String, name: String? = nil, transport: TransportProvider? = nil,
    conflicts: ConflictPolicy = .serverWins, encryption: EncryptionProvider? = nil
  ) async throws -> SyncedAtom<TransitValue> {
    try await atom(
      group, of: TransitValue.self, name: name, transport: transport, conflicts: conflicts,
      encryption: encryption)
  }

  /// Opens an atom of a type of your own, a struct or an enum; otherwise the same.
  ///
  /// - Throws: also `SyncError` (`invalidDocument`) for a class: a change of an object is not seen, and would not be written.
  public func atom<Element: Codable & Sendable>(
    _ group: String, of type: Element.Type, name: String? = nil, transport: TransportProvider? = nil,
    conflicts: ConflictPolicy = .serverWins, encryption: EncryptionProvider? = nil
  ) async throws -> SyncedAtom<Element> {
    if Element.self is AnyObject.Type {
      throw SyncError(.invalidDocument, "\(Element.self) is a class. Documents are values: make it a struct.")
    }
    let name = name ?? group
    for problem in [Names.problem(group: group), Names.problem(group: name)] {
      if let problem { throw SyncError(.invalidDocument, problem) }
    }
    try reserve(name)
    do {
      // What an atom of this name left behind may not be durable yet, and would be written over this one's rows.
      try await queue.flush(timeout: Self.patience)
      let encryption = try await encryption?.open(group: group)
      let way = try await transport?.open(codec: configuration.codec)
      let replica = try await replica(name, group, conflicts, way, encryption)
      guard state.withLock({ $0.add(replica) }) else {
        await replica.close(timeout: Self.patience)
        throw SyncError(.stopped, "The client is closed.")
      }
      return SyncedAtom(replica) { [weak self, weak replica] in
        self?.state.withLock { $0.remove(name, replica) }
      }
    } catch {
      state.withLock { $0.remove(name, nil) }
      throw error
    }
  }

  private func replica(
    _ name: String, _ group: String, _ conflicts: ConflictPolicy, _ transport: (any Transport)?,
    _ encryption: Encryption?
  ) async throws -> Replica {
    do {
      return try await Replica(
        name: name, group: group, policy: conflicts, configuration: configuration, storage: storage,
        queue: queue, transport: transport, encryption: encryption)
    } catch {
      await transport?.close()
      throw error
    }
  }

  /// Closes every atom, waits until all changes are durable, and closes the store.
  ///
  /// The closing goes on to its end when the wait for it is over, by its timeout or because the task was cancelled;
  /// call `close` again to wait on.
  ///
  /// - Throws: `SyncError`: `storage` when some changes could not be made durable, and are lost with the process's
  ///   memory; `timedOut`. `CancellationError`.
  public func close(timeout: Duration? = .seconds(30)) async throws {
    let (closing, atoms) = state.withLock { state -> (Promise<Void>, [Replica]?) in
      if let closing = state.closing { return (closing, nil) }
      let closing = Promise<Void>()
      state.closing = closing
      defer { state.atoms = [:] }
      return (closing, state.atoms.values.compactMap { $0 })
    }
    if let atoms { Task { await finish(atoms, closing) } }
    try await closing.wait(timeout, configuration.clock, "The last changes were not durable")
  }

  private func finish(_ atoms: [Replica], _ closing: Promise<Void>) async {
    for atom in atoms { await atom.close(timeout: Self.patience) }
    let result: Result<Void, any Error>
    do {
      try await queue.close()
      result = .success(())
    } catch {
      result = .failure(error)
    }
    await storage.close()
    closing.complete(result)
  }

  private func reserve(_ name: String) throws {
    try state.withLock { state in
      if state.isClosed { throw SyncError(.stopped, "The client is closed.") }
      if state.atoms.keys.contains(name) {
        throw SyncError(.stopped, "The atom \(name) is open already: use that one, or close it first.")
      }
      state.atoms[name] = .some(nil)
    }
  }
}
