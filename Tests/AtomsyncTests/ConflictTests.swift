import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Testing
import Transit

@Suite(.timeLimit(.minutes(1))) struct ConflictTests {
  /// Makes `a` (and what else `body` does) here while another device changes it, then lets both meet.
  private func collide(
    _ policy: ConflictPolicy, base: TransitValue? = 1, theirs: TransitValue? = 10,
    _ body: @escaping @Sendable (inout Documents<TransitValue>) throws -> Void
  ) async throws -> (scene: Scene, atom: SyncedAtom<TransitValue>, receipt: Receipt) {
    let scene = try await Scene()
    let (atom, other) = (try await scene.atom(policy), try await scene.other())
    if let base {
      _ = try await other.swap { $0["a"] = base }.confirmed()
      try await atom.value { $0["a"] == base }
    }
    try await atom.settled()
    atom.pause()
    let receipt = try atom.swap(body)
    _ = try await other.swap { $0["a"] = theirs }.confirmed()
    atom.resume()
    return (scene, atom, receipt)
  }

  @Test func serverWins() async throws {
    let (scene, atom, receipt) = try await collide(.serverWins) { $0["a"] = 2 }
    #expect(try await receipt.confirmed().verdicts == ["a": .superseded(conflict: 1)])
    #expect(atom.contents == ["a": 10])
    let conflict = try #require(atom.conflicts.first)
    #expect(
      conflict
        == Conflict(
          id: 1, document: "a", base: 1, local: 2, remote: 10, outcome: .serverWon,
          detectedAt: conflict.detectedAt)
    )
    _ = try await atom.recover(conflict).confirmed()
    #expect(try await scene.server() == ["a": 2])
    // What lost is kept over a restart.
    #expect(try await scene.atom().conflicts == [conflict])
  }

  @Test func localWins() async throws {
    let (scene, atom, receipt) = try await collide(.localWins) { $0["a"] = 2 }
    #expect(try await receipt.confirmed().verdicts == ["a": .accepted(version: 3)])
    #expect(try await scene.server() == ["a": 2])
    let conflict = try #require(atom.conflicts.first)
    #expect(conflict.outcome == .localWon)
    _ = try await atom.recover(conflict).confirmed()
    #expect(try await scene.server() == ["a": 10])
  }

  @Test func localWinsOverADeletion() async throws {
    let (scene, _, receipt) = try await collide(.localWins, theirs: nil) { $0["a"] = 2 }
    #expect(try await receipt.confirmed().isAccepted)
    #expect(try await scene.server() == ["a": 2])
  }

  @Test func merge() async throws {
    let sum = ConflictPolicy.merge { input in
      guard case .int(let base) = input.base, case .int(let local) = input.local,
        case .int(let remote) = input.remote
      else { return input.remote }
      return .int(local + remote - base)
    }
    let (scene, atom, receipt) = try await collide(sum) { $0["a"] = 2 }
    #expect(try await receipt.confirmed().isAccepted)
    #expect(try await scene.server() == ["a": 11])
    #expect(atom.contents == ["a": 11])
    #expect(atom.conflicts.map(\.outcome) == [.merged])
  }

  @Test func aMergeMayDelete() async throws {
    let (scene, atom, receipt) = try await collide(.merge { _ in nil }) { $0["a"] = 2 }
    #expect(try await receipt.confirmed().isAccepted)
    #expect(atom.contents == [:])
    #expect(try await scene.server() == [:])
  }

  @Test func aMergeThatFailsStaysOpenUntilTheDocumentChanges() async throws {
    struct NotNow: Error {}
    let merge = ConflictPolicy.merge { input in
      if input.local == 2 { throw NotNow() }
      return input.local
    }
    let (scene, atom, receipt) = try await collide(merge) { $0["a"] = 2 }
    try await atom.status { $0.openConflictCount == 1 }
    #expect(atom.contents == ["a": 2])
    guard case .open = atom.conflicts.first?.outcome else {
      Issue.record("The conflict is not open: \(atom.conflicts)")
      return
    }
    // It holds nothing else up.
    _ = try await atom.swap { $0["b"] = 1 }.confirmed()
    #expect(try await scene.server() == ["a": 10, "b": 1])
    try atom.swap { $0["a"] = 3 }
    #expect(try await receipt.confirmed().isAccepted)
    #expect(atom.status.openConflictCount == 0)
    #expect(try await scene.server() == ["a": 3, "b": 1])
    // What became of it stands in place of the report that it was open, here and on the disk.
    #expect(atom.conflicts.map(\.outcome) == [.merged])
    #expect(atom.conflicts.first?.local == 3)
    try await atom.settled()
    #expect(try await scene.atom().conflicts == atom.conflicts)
  }

  @Test func anOpenConflictMayEndByItself() async throws {
    struct NotNow: Error {}
    let (scene, atom, receipt) = try await collide(.merge { _ in throw NotNow() }) { $0["a"] = 2 }
    try await atom.status { $0.openConflictCount == 1 }
    let other = try await scene.other()
    try await other.value { $0["a"] == 10 }
    _ = try await other.swap { $0["a"] = 2 }.confirmed()  // what was wanted here
    #expect(try await receipt.confirmed().isAccepted)
    #expect(atom.conflicts.map(\.outcome) == [.merged])
    #expect(atom.status.openConflictCount == 0)
  }

  @Test func anOpenConflictIsFoundAgainAfterARestart() async throws {
    struct NotNow: Error {}
    let (scene, atom, receipt) = try await collide(.merge { _ in throw NotNow() }) { $0["a"] = 2 }
    try await atom.status { $0.openConflictCount == 1 && $0.unsavedCount == 0 }
    let again = try await scene.atom(.merge { $0.local })
    #expect(try await again.receipt(receipt.id).confirmed().isAccepted)
    #expect(try await scene.server() == ["a": 2])
  }

  /// The server's side is deleted and, while the device is away, forgotten altogether.
  @Test func aDeletionThatWasPurgedIsStillAConflict() async throws {
    struct NotNow: Error {}
    let scene = try await Scene(server: { $0.retention = .seconds(-60) })
    let (atom, other) = (try await scene.atom(.merge { _ in throw NotNow() }), try await scene.other())
    _ = try await atom.swap { $0["a"] = 1 }.confirmed()
    try await atom.settled()
    atom.pause()
    let receipt = try atom.swap { $0["a"] = 2 }
    try await other.value { $0["a"] == 1 }
    _ = try await other.swap { $0["a"] = nil }.confirmed()
    atom.resume()
    try await atom.status { $0.openConflictCount == 1 && $0.unsavedCount == 0 }
    try await scene.authority.purgeAfterAJump()
    let again = try await scene.atom(.merge { $0.local })
    #expect(try await again.receipt(receipt.id).confirmed().isAccepted)
    #expect(try await scene.server() == ["a": 2])
  }

  @Test func rebaseRunsTheSwapsAgain() async throws {
    let (scene, atom, receipt) = try await collide(.rebase { _ in 0 }) { documents in
      if case .int(let value) = documents["a"] { documents["a"] = .int(value + 1) }
    }
    #expect(try await receipt.confirmed().isAccepted)
    #expect(try await scene.server() == ["a": 11])
    #expect(atom.conflicts.map(\.outcome) == [.merged])
  }

  /// Nothing is what the swap makes of the server's value: that is not for the merge to decide.
  @Test func rebaseOfADeletionDeletes() async throws {
    let (scene, atom, receipt) = try await collide(.rebase { _ in 0 }) { $0["a"] = nil }
    #expect(try await receipt.confirmed().isAccepted)
    #expect(try await scene.server() == [:])
    #expect(atom.contents == [:])
  }

  @Test func rebaseRunsEveryUnconfirmedSwapInOrder() async throws {
    let scene = try await Scene()
    let (atom, other) = (try await scene.atom(.rebase { _ in "merged" }), try await scene.other())
    try await atom.settled()
    let append: @Sendable (String) -> @Sendable (inout Documents<TransitValue>) -> Void = { text in
      { documents in
        if case .string(let old) = documents["a"] ?? "" { documents["a"] = .string(old + text) }
      }
    }
    // The first swap is confirmed while the later ones, and one of another document, are made.
    let delay = Delay()
    scene.network.plan(.delayAnswer(delay), on: .push)
    try atom.swap(append("1"))
    try await delay.reached()
    try atom.swap { $0["b"] = 1 }
    try atom.swap(append("2"))
    let last = try atom.swap(append("3"))
    scene.network.isOnline = false
    delay.release()
    try await atom.status { $0.connection == .waiting }
    try await other.value { $0["a"] == "1" }
    _ = try await other.swap { $0["a"] = "x" }.confirmed()
    scene.network.isOnline = true
    #expect(try await last.confirmed().isAccepted)
    #expect(try await scene.server()["a"] == "x23")
  }

  @Test func rebaseFallsBackToTheMergeAfterARestart() async throws {
    let scene = try await Scene()
    let client = try await scene.client()
    let atom = try await scene.atom(.rebase(), of: client)
    let other = try await scene.other()
    try await atom.settled()
    atom.pause()
    let receipt = try atom.swap { $0["a"] = 2 }
    try await client.close()
    _ = try await other.swap { $0["a"] = 10 }.confirmed()
    let again = try await scene.atom(.rebase { _ in 99 })
    #expect(try await again.receipt(receipt.id).confirmed().isAccepted)
    #expect(try await scene.server() == ["a": 99])
  }

  /// What a swap holds may end with the swap's verdict, and its end may use the atom.
  @Test func whatASwapHoldsEndsOutsideEveryLock() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom(.rebase())
    final class Screen: Sendable {
      let atom: SyncedAtom<TransitValue>
      let ended: Promise<Void>
      init(_ atom: SyncedAtom<TransitValue>, _ ended: Promise<Void>) {
        (self.atom, self.ended) = (atom, ended)
      }
      deinit {
        _ = atom.value.count
        ended.complete(.success(()))
      }
    }
    let ended = Promise<Void>()
    var screen: Screen? = Screen(atom, ended)
    let receipt = try atom.swap { [screen] in $0["a"] = screen == nil ? 0 : 1 }
    screen = nil
    #expect(try await receipt.confirmed().isAccepted)
    try await ended.wait()
  }

  @Test func equalValuesAreNoConflict() async throws {
    let (_, atom, receipt) = try await collide(.serverWins, theirs: 2) { $0["a"] = 2 }
    #expect(try await receipt.confirmed().isAccepted)
    #expect(atom.conflicts.isEmpty)
  }

  @Test func conflictsAreReportedAsTheyHappen() async throws {
    let scene = try await Scene()
    let (atom, other) = (try await scene.atom(), try await scene.other())
    let reports = atom.conflictUpdates
    try await atom.settled()
    atom.pause()
    try atom.swap { $0["a"] = 1 }
    _ = try await other.swap { $0["a"] = 2 }.confirmed()
    atom.resume()
    for await report in reports {
      #expect(report.map(\.local) == [1])
      break
    }
  }

  /// The server was put back to a state with another document of the same version. A conflict that the application has
  /// not decided is there after a restart as well: the versions alone do not show it.
  @Test func anOpenConflictOfEqualVersionsSurvivesARestart() async throws {
    let (now, before) = (try await Scene(), try await Scene())
    _ = try await before.other().swap { $0["a"] = "early" }.confirmed()
    _ = try await now.other().swap { $0["a"] = "late" }.confirmed()
    struct NotNow: Error {}
    let atom = try await now.atom(.merge { _ in throw NotNow() })
    try await atom.settled()
    now.network.isOnline = false
    try await atom.swap { $0["a"] = "mine" }.saved()
    let restored = TransportProvider.loopback(before.authority)
    let undecided = try await now.client().atom(
      "todo", transport: restored, conflicts: .merge { _ in throw NotNow() })
    try await undecided.status { $0.openConflictCount == 1 && $0.unsavedCount == 0 }
    let asked = Lock<[MergeInput]>([])
    let decided = try await now.client().atom(
      "todo", transport: restored,
      conflicts: .merge { input in
        asked.withLock { $0.append(input) }
        return "both"
      })
    try await decided.settled()
    #expect(asked.withLock { $0.map(\.remote) } == ["early"])
    #expect(try await before.server() == ["a": "both"])
  }

  /// What is kept of conflicts is bounded by bytes; the store has the others, as long as they are to be kept.
  @Test func conflictsInMemoryAreBounded() async throws {
    let scene = try await Scene { $0.limits.conflictBytes = 10_000 }
    let other = try await scene.other()
    let atom = try await scene.atom()
    let text = TransitValue.string(String(repeating: "x", count: 3000))
    for number in 0..<5 {
      try await atom.settled()
      atom.pause()
      let receipt = try atom.swap { $0["a\(number)"] = text }
      _ = try await other.swap { $0["a\(number)"] = 1 }.confirmed()
      atom.resume()
      _ = try await receipt.confirmed()
    }
    #expect(atom.conflicts.map(\.document) == ["a2", "a3", "a4"])
    #expect(try await scene.atom().conflicts.map(\.document) == ["a2", "a3", "a4"])
  }
}
