public import Atomsync
internal import AtomsyncCore
public import AtomsyncEngine
public import Transit

/// A device of a ``TestSync``: a process that can be killed, with a disk that stays and a network that can fail.
public final class TestDevice: Sendable {
  /// What goes wrong on the way to the server.
  public let network = TransportScript()
  /// What goes wrong with the disk.
  public let disk = FaultyStorage(MemoryStorage())

  /// A process from its start to its end.
  private struct Life {
    let client: AtomsyncClient
    /// Cut when the process is killed, so that what is left of it in memory reaches nobody.
    let network: TransportScript
  }
  private let sync: TestSync
  private let configuration: AtomsyncConfiguration
  private let life = Lock<Task<Life, any Error>?>(nil)

  init(_ sync: TestSync, _ configuration: AtomsyncConfiguration) {
    self.sync = sync
    var configuration = configuration
    configuration.storage = StorageProvider("a device's disk") { [disk] _ in disk.reopened() }
    self.configuration = configuration
  }

  /// Opens an atom in the device's process, which is started if there is none.
  ///
  /// - Throws: as `AtomsyncClient.open` and `AtomsyncClient.atom`.
  public func atom<Element: Codable & Sendable>(
    _ group: String, of type: Element.Type = TransitValue.self, conflicts: ConflictPolicy = .serverWins
  ) async throws -> SyncedAtom<Element> {
    let life = try await running()
    let way = TransportProvider.scripted(
      life.network, over: .scripted(network, over: .loopback(sync.authority)))
    let atom = try await life.client.atom(group, of: type, transport: way, conflicts: conflicts)
    sync.add(
      TestMember(
        device: self, group: group, sync: { try await atom.sync(timeout: $0) }, status: { atom.status },
        documents: {
          let documents = atom.value
          return documents.ids.reduce(into: [:]) { $0[$1] = documents.transit($1) }
        }))
    return atom
  }

  /// Ends the process as a crash does: what was not durable is lost, and its atoms reach neither disk nor server.
  /// The next ``atom(_:of:conflicts:)`` starts it anew.
  public func kill() {
    let last = life.withLock { life in
      defer { life = nil }
      return life
    }
    _ = disk.reopened()
    Task { try await last?.value.network.isOnline = false }
    sync.remove(self)
  }

  /// The process, which is started once however many ask for it.
  private func running() async throws -> Life {
    let starting = life.withLock { life in
      if let life { return life }
      let starting = Task { [configuration] in
        Life(client: try await AtomsyncClient.open(configuration), network: TransportScript())
      }
      life = starting
      return starting
    }
    do { return try await starting.value } catch {
      life.withLock { if $0 == starting { $0 = nil } }
      throw error
    }
  }
}
