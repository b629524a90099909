public import Atomsync
internal import AtomsyncCore
public import AtomsyncEngine
internal import Logging
public import Transit

/// A server in memory and devices that sync with it, in this process: for testing what an application does with its
/// atoms.
///
/// ```swift
/// let sync = try await TestSync()
/// let (phone, laptop) = (sync.device(), sync.device())
/// let todos = try await phone.atom("todo", of: Todo.self)
/// phone.network.isOnline = false
/// try todos.swap { $0["a"] = Todo(text: "milk") }
/// phone.network.isOnline = true
/// let others = try await laptop.atom("todo", of: Todo.self)
/// try await sync.runUntilIdle()
/// #expect(others.value["a"]?.text == "milk")
/// try await sync.expectConverged()
/// ```
///
/// Retries take milliseconds, and nothing is logged.
public final class TestSync: Sendable {
  /// The server's engine.
  public let authority: Authority
  private let configuration: AtomsyncConfiguration
  private let members = Lock<[TestMember]>([])

  /// - Parameters:
  ///   - adjust: changes the configuration of the server and of all devices, such as its clock.
  ///   - willAccept: the server's check of each write.
  public init(
    _ adjust: (inout AtomsyncConfiguration) -> Void = { _ in }, willAccept: WriteValidator? = nil
  ) async throws {
    var configuration = AtomsyncConfiguration(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    configuration.retry.initialDelay = .milliseconds(1)
    configuration.retry.maximumDelay = .milliseconds(8)
    adjust(&configuration)
    self.configuration = configuration
    authority = try await Authority.open(configuration, willAccept: willAccept)
  }

  /// A device with a disk and a network of its own.
  public func device() -> TestDevice { TestDevice(self, configuration) }

  /// Opens an atom on a new device: for tests in which devices do not matter.
  public func atom<Element: Codable & Sendable>(
    _ group: String, of type: Element.Type = TransitValue.self, conflicts: ConflictPolicy = .serverWins
  ) async throws -> SyncedAtom<Element> {
    try await device().atom(group, of: type, conflicts: conflicts)
  }

  func add(_ member: TestMember) { members.withLock { $0.append(member) } }
  func remove(_ device: TestDevice) { members.withLock { $0.removeAll { $0.device === device } } }

  /// Returns once every device that is online has nothing more to send and has everything that the server has.
  ///
  /// What was rejected, or is in an open conflict, counts as done.
  ///
  /// - Parameter timeout: of real time, whatever the clock of the configuration.
  /// - Throws: `SyncError`: `timedOut`, with the last fault of the network; `paused` or `stopped` for an atom that is.
  ///   Faults of the network before that are endured.
  public func runUntilIdle(timeout: Duration = .seconds(30)) async throws {
    let lastFault = Lock<String?>(nil)
    try await within(
      timeout,
      or: { SyncError(.timedOut, "Not idle within \(timeout). \(lastFault.withLock { $0 } ?? "")") }
    ) {
      while try await !self.isIdle(afterSyncing: lastFault) { try Task.checkCancellation() }
    }
  }

  /// Has every device sync, one after the other; whether that has changed nothing.
  private func isIdle(afterSyncing fault: Lock<String?>) async throws -> Bool {
    let online = members.withLock { $0 }.filter { $0.device.network.isOnline }
    let before = try await versions(of: online)
    var isSettled = true
    for member in online {
      do {
        try await member.sync()
        isSettled = isSettled && member.status().pendingCount == 0
      } catch let error as SyncError where error.code == .unsettled {
      } catch let error as SyncError where error.code == .transport {
        fault.withLock { $0 = error.message }
        isSettled = false
      }
    }
    // What the last of them sent, the first does not have yet.
    let after = try await versions(of: online)
    return isSettled && after == before
  }

  /// Expects every device that is online to show exactly what the server has.
  ///
  /// - Throws: ``ConvergenceFailure``.
  public func expectConverged() async throws {
    for member in members.withLock({ $0 }) where member.device.network.isOnline {
      let expected = try await documents(member.group)
      let shown = member.documents()
      let differing = Set(expected.keys).union(shown.keys).filter { expected[$0] != shown[$0] }
      guard let id = differing.min() else { continue }
      throw ConvergenceFailure(
        description: """
          \(differing.count) documents of \(member.group) differ from the server's. \(id) is \
          \(shown[id]?.description ?? "absent") and should be \(expected[id]?.description ?? "absent").
          """)
    }
  }

  /// Ends the devices' processes, as by `kill()`, and the server. Without it they live as long as the test's process.
  public func close() async {
    for member in members.withLock({ $0 }) { member.device.kill() }
    await authority.close()
  }

  /// What the server has in a group, by id. O(documents)
  public func documents(_ group: String) async throws -> [String: TransitValue] {
    try await everything(group).reduce(into: [:]) { values, document in
      values[document.id] = try document.content.payload.map {
        try TransitValue(transit: $0.bytes, format: .msgpack)
      }
    }
  }

  private func versions(of members: [TestMember]) async throws -> [String: [Int64]] {
    var versions: [String: [Int64]] = [:]
    for group in Set(members.map(\.group)) { versions[group] = try await everything(group).map(\.version) }
    return versions
  }

  private func everything(_ group: String) async throws -> [Document] {
    var documents: [Document] = []
    var request = PullRequest(group: group)
    while true {
      let page = try await authority.pull(request)
      documents += page.documents
      if !page.hasMore { return documents }
      request.start = .cursor(page.cursor)
    }
  }
}

/// What a device shows that is not what the server has.
public struct ConvergenceFailure: Error, CustomStringConvertible {
  /// How many documents differ, and what the first of them is and should be.
  public let description: String
}

/// An open atom, whatever its type.
struct TestMember: Sendable {
  let device: TestDevice
  let group: String
  let sync: @Sendable () async throws -> Void
  let status: @Sendable () -> SyncStatus
  let documents: @Sendable () -> [String: TransitValue]
}
