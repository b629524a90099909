public import Atomsync
public import AtomsyncCore
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
    let number: Int
    let client: Task<AtomsyncClient, any Error>
    /// Cut when the process is killed, so that what is left of it in memory reaches nobody.
    let network = TransportScript()
  }
  private struct State {
    var life: Life?
    var lives = 0
  }
  private let sync: TestSync
  private let configuration: AtomsyncConfiguration
  private let state = Lock(State())

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
    _ group: String, of type: Element.Type = TransitValue.self, conflicts: ConflictPolicy = .serverWins,
    encryption: EncryptionProvider? = nil
  ) async throws -> SyncedAtom<Element> {
    let life = running()
    let client: AtomsyncClient
    do { client = try await life.client.value } catch {
      end(life)
      throw error
    }
    let way = TransportProvider.scripted(
      life.network, over: .scripted(network, over: .loopback(sync.authority)))
    let atom = try await client.atom(
      group, of: type, transport: way, conflicts: conflicts, encryption: encryption)
    let member = TestMember(
      device: self, group: group, sync: { try await atom.sync(timeout: nil) }, status: { atom.status },
      documents: {
        let documents = atom.value
        return documents.ids.reduce(into: [:]) { $0[$1] = documents.transit($1) }
      })
    // Not if it was killed meanwhile.
    state.withLock { if $0.life?.number == life.number { sync.add(member) } }
    return atom
  }

  /// Ends the process as a crash does: what was not durable is lost, and its atoms reach neither disk nor server.
  /// The next ``atom(_:of:conflicts:encryption:)`` starts it anew.
  public func kill() {
    state.withLock { state in
      state.life?.network.isOnline = false
      state.life = nil
      _ = disk.reopened()
      sync.remove(self)
    }
  }

  /// The process, which is started once however many ask for it.
  private func running() -> Life {
    state.withLock { state in
      if let life = state.life { return life }
      state.lives += 1
      let life = Life(
        number: state.lives, client: Task { [configuration] in try await AtomsyncClient.open(configuration) })
      state.life = life
      return life
    }
  }

  /// A process that could not start is none.
  private func end(_ life: Life) {
    state.withLock { if $0.life?.number == life.number { $0.life = nil } }
  }
}
