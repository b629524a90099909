import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Testing
import Transit

@Suite(.timeLimit(.minutes(1))) struct RejectionTests {
  private let big = TransitValue.string(String(repeating: "x", count: 2 << 20))

  @Test func whatCanNeverGoIsOutOfTheWay() async throws {
    let scene = try await Scene()
    let client = try await scene.client()
    let atom = try await scene.atom(of: client)
    _ = try await atom.swap { $0["a"] = 1 }.confirmed()
    let big = big
    try atom.swap { $0["a"] = big }
    _ = try await atom.swap { $0["b"] = 2 }.confirmed()
    try await atom.status { $0.rejectedCount == 1 }
    #expect(atom.contents == ["a": 1, "b": 2])
    let rejection = try #require(atom.rejections.first)
    #expect(rejection.document == "a" && rejection.reason == "too-large" && rejection.value == big)
    let error = await #expect(throws: SyncError.self) { try await atom.sync() }
    #expect(error?.code == .unsettled)
    try await client.close()
    let again = try await scene.atom()
    #expect(again.rejections == [rejection])
    again.discardRejection("a")
    #expect(again.rejections.isEmpty)
    try await again.settled()
    #expect(try await scene.atom().rejections.isEmpty)
  }

  @Test func aRejectionCanBeRetried() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    #expect(try atom.retryRejection("a") == nil)
    scene.network.plan(.tooLarge, on: .push)
    try atom.swap { $0["a"] = 1 }
    try await atom.status { $0.rejectedCount == 1 }
    let receipt = try #require(try atom.retryRejection("a"))
    #expect(atom.rejections.isEmpty)
    #expect(try await receipt.confirmed().isAccepted)
    #expect(try await scene.server() == ["a": 1])
  }

  @Test func aLaterAcceptedEditEndsARejection() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    scene.network.plan(.tooLarge, on: .push)
    let verdict = try await atom.swap { $0["a"] = 1 }.confirmed().verdicts["a"]
    #expect(verdict == .rejected(reason: "too-large"))
    _ = try await atom.swap { $0["a"] = 2 }.confirmed()
    #expect(atom.rejections.isEmpty)
  }

  /// An edit that is undone before it was sent says nothing about the one that was rejected.
  @Test func anUndoneEditKeepsARejection() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    _ = try await atom.swap { $0["a"] = 1 }.confirmed()
    scene.network.plan(.tooLarge, on: .push)
    _ = try await atom.swap { $0["a"] = 2 }.confirmed()
    atom.pause()
    try atom.swap { $0["a"] = 3 }
    #expect(try await atom.swap { $0["a"] = 1 }.confirmed().isAccepted)
    #expect(atom.rejections.map(\.value) == [2])
  }

  /// A body that is too large is halved until the one that is too large stands alone.
  @Test func aPushThatIsTooLargeIsHalved() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    try await atom.settled()
    atom.pause()
    for number in 0..<8 { try atom.swap { $0["d\(number)"] = .int(Int64(number)) } }
    for _ in 0..<3 { scene.network.plan(.tooLarge, on: .push) }
    atom.resume()
    try await atom.status { $0.pendingCount == 0 && $0.unsavedCount == 0 }
    let sizes = scene.network.pushes.map(\.edits.count)
    #expect(Array(sizes.prefix(4)) == [8, 4, 2, 1])
    #expect(try await scene.server().count == 8)
    #expect(atom.rejections.isEmpty)
  }

  @Test func moreThanTheServerTakesIsSplit() async throws {
    let scene = try await Scene({ $0.limits.documentsPerPush = 3 })
    let atom = try await scene.atom()
    try atom.swap { for number in 0..<10 { $0["d\(number)"] = 1 } }
    try await atom.settled()
    #expect(scene.network.pushes.allSatisfy { $0.edits.count <= 3 })
    #expect(try await scene.server().count == 10)
  }

  // MARK: Atomic swaps

  @Test func anAtomicSwapGoesWhole() async throws {
    let scene = try await Scene({ $0.limits.documentsPerPush = 3 })
    let atom = try await scene.atom()
    atom.pause()
    try atom.swap { $0["0"] = 1 }
    let receipt = try atom.swap(atomic: true) { for id in ["a", "b", "c"] { $0[id] = 1 } }
    atom.resume()
    #expect(try await receipt.confirmed().isAccepted)
    let push = try #require(scene.network.pushes.first { $0.edits.count == 3 })
    #expect(push.isAtomic)
  }

  /// Swaps that overlap go together, and no push could hold them all: better told now than rejected later.
  @Test func moreThanCanGoTogetherIsRefused() async throws {
    let scene = try await Scene({ $0.limits.documentsPerPush = 3 })
    let atom = try await scene.atom()
    atom.pause()
    for id in ["a", "b"] {
      try atom.swap(atomic: true) {
        $0[id] = 1
        $0["counter"] = .string(id)
      }
    }
    let error = #expect(throws: SyncError.self) {
      try atom.swap(atomic: true) {
        $0["c"] = 1
        $0["counter"] = "c"
      }
    }
    #expect(error?.code == .invalidDocument)
    #expect(atom.contents == ["a": 1, "b": 1, "counter": "b"])
    atom.resume()
    try await atom.settled()
    #expect(try await scene.server() == atom.contents)
  }

  /// An atomic swap of `a` and `b` meets another device's `a`, whose value stands.
  private func overrule(_ atom: SyncedAtom<TransitValue>, in scene: Scene) async throws {
    let other = try await scene.other()
    try await atom.settled()
    atom.pause()
    let receipt = try atom.swap(atomic: true) { for id in ["a", "b"] { $0[id] = "mine" } }
    _ = try await other.swap { $0["a"] = "theirs" }.confirmed()
    atom.resume()
    let verdicts = try await receipt.confirmed().verdicts
    #expect(verdicts == ["a": .superseded(conflict: 1), "b": .superseded(conflict: 2)])
  }

  @Test func anAtomicSwapFallsWholeWithAConflict() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    try await overrule(atom, in: scene)
    #expect(try await scene.server() == ["a": "theirs"])
    #expect(atom.contents == ["a": "theirs"])
  }

  @Test func anAtomicSwapFallsWholeWithARejection() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    let big = big
    let receipt = try atom.swap(atomic: true) {
      $0["a"] = big
      $0["b"] = 1
    }
    let verdicts = try await receipt.confirmed().verdicts
    #expect(verdicts == ["a": .rejected(reason: "too-large"), "b": .rejected(reason: "aborted")])
    #expect(try await scene.server() == [:])
    #expect(atom.contents == [:])
    #expect(atom.rejections.map(\.document) == ["a", "b"])
  }

  @Test func anAtomicSwapFallsWholeWithAMergeForTheServer() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom(.merge { $0.remote })
    try await overrule(atom, in: scene)
    #expect(atom.conflicts.map(\.outcome) == [.merged, .serverWon])
    try await atom.settled()
    #expect(try await scene.server() == ["a": "theirs"])
    #expect(atom.contents == ["a": "theirs"])
  }

  /// The swap before it is in flight and has a verdict of its own, which comes later.
  @Test func anAtomicSwapThatFallsLeavesTheOneInFlightItsVerdict() async throws {
    struct NotNow: Error {}
    let scene = try await Scene()
    let merge = ConflictPolicy.merge { input in
      if input.local == "mine" { throw NotNow() }
      return input.remote
    }
    let (atom, other) = (try await scene.atom(merge), try await scene.other())
    try await atom.settled()
    atom.pause()
    try atom.swap { $0["b"] = "mine" }
    _ = try await other.swap { $0["b"] = "theirs" }.confirmed()
    atom.resume()
    try await atom.status { $0.openConflictCount == 1 && $0.connection == .live }
    let delay = Delay()
    scene.network.plan(.delayAnswer(delay), on: .push)
    let first = try atom.swap { $0["c"] = "sent" }
    try await delay.reached()
    let waiting = Task { try await first.confirmed() }
    for _ in 0..<100 { await Task.yield() }  // it had better wait by now
    let second = try atom.swap(atomic: true) { for id in ["b", "c"] { $0[id] = "both" } }
    let verdicts = try await second.confirmed().verdicts
    #expect(verdicts.values.allSatisfy { !$0.isAccepted } && verdicts.count == 2)
    #expect(atom.contents == ["b": "theirs", "c": "sent"])
    // Not even when the document is edited again, on top of what is in flight.
    let third = try atom.swap { $0["c"] = "later" }
    #expect(try await second.confirmed().verdicts == verdicts)
    delay.release()
    #expect(try await waiting.value.verdicts == ["c": .accepted(version: 1)])
    #expect(try await third.confirmed().isAccepted)
    #expect(try await first.confirmed().isAccepted)
    #expect(try await second.confirmed().verdicts == verdicts)
  }

  /// An atomic swap of a document that is in flight by an earlier edit still goes together.
  @Test func anAtomicSwapDuringAPushStaysTogether() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    try await atom.settled()
    let delay = Delay()
    scene.network.plan(.delayAnswer(delay), on: .push)
    try atom.swap { $0["a"] = 1 }
    try await delay.reached()
    let receipt = try atom.swap(atomic: true) { for id in ["a", "b"] { $0[id] = 2 } }
    delay.release()
    #expect(try await receipt.confirmed().isAccepted)
    let push = try #require(scene.network.pushes.last)
    #expect(push.isAtomic && push.edits.map(\.id) == ["a", "b"])
  }
}
