import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Testing
import Transit

@Suite(.timeLimit(.minutes(1))) struct SyncedAtomTests {
  @Test func swapsAreVisibleAtOnceAndReachTheServer() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    let receipt = try atom.swap {
      $0["a"] = "milk"
      $0["b"] = ["done": true]
    }
    #expect(atom.value["a"] == "milk")
    #expect(atom.value.count == 2)
    #expect(receipt.id.documents == ["a", "b"])
    try await receipt.saved()
    #expect(try await receipt.confirmed().isAccepted)
    #expect(try await scene.server() == ["a": "milk", "b": ["done": true]])
  }

  @Test func twoAtomsConverge() async throws {
    let scene = try await Scene()
    let (one, two) = (try await scene.atom(), try await scene.other())
    try one.swap { $0["a"] = 1 }
    try await two.value { $0["a"] == 1 }
    try two.swap {
      $0["a"] = nil
      $0["b"] = 2
    }
    try await one.value { $0["a"] == nil && $0["b"] == 2 }
    try await one.sync()
    try await two.sync()
    #expect(one.contents == two.contents)
  }

  @Test func aSwapThatChangesNothingIsConfirmedAtOnce() async throws {
    let atom = try await Scene().atom()
    let receipt = try atom.swap { _ in }
    #expect(receipt.id.edit == 0)
    try await receipt.saved()
    #expect(try await receipt.confirmed().verdicts == [:])
  }

  @Test func aDocumentThatAlreadyIsWhatItShallBeNeedsNoVerdict() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    _ = try await atom.swap { $0["a"] = 1 }.confirmed()
    let receipt = try atom.swap {
      $0["a"] = 1
      $0["b"] = 2
    }
    let verdicts = try await receipt.confirmed().verdicts
    #expect(verdicts == ["b": .accepted(version: 1)])
  }

  @Test func resetLeavesExactlyTheGivenDocuments() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    try atom.swap {
      $0["a"] = 1
      $0["b"] = 2
    }
    let receipt = try atom.reset(to: ["b": 3, "c": 4])
    #expect(atom.contents == ["b": 3, "c": 4])
    #expect(try await receipt.confirmed().isAccepted)
    #expect(try await scene.server() == ["b": 3, "c": 4])
  }

  @Test func compareAndSet() async throws {
    let atom = try await Scene().atom()
    #expect(try atom.compareAndSet("a", expecting: 1, to: 2) == nil)
    #expect(atom.value.isEmpty)
    #expect(try atom.compareAndSet("a", expecting: nil, to: 1) != nil)
    #expect(try atom.compareAndSet("a", expecting: nil, to: 3) == nil)
    #expect(atom.value["a"] == 1)
    #expect(try atom.compareAndSet("a", expecting: 1, to: nil) != nil)
    #expect(atom.value["a"] == nil)
  }

  @Test func aThrowingSwapChangesNothing() async throws {
    struct No: Error {}
    let atom = try await Scene().atom()
    try atom.swap { $0["a"] = 1 }
    #expect(throws: No.self) {
      try atom.swap {
        $0["a"] = 2
        throw No()
      }
    }
    #expect(atom.contents == ["a": 1])
  }

  @Test(arguments: ["", String(repeating: "x", count: 257), "a\u{7}", "a\u{85}", "e\u{301}"])
  func anInvalidIDThrowsAndChangesNothing(id: String) async throws {
    let atom = try await Scene().atom()
    let error = #expect(throws: SyncError.self) {
      try atom.swap {
        $0["fine"] = 1
        $0[id] = 1
      }
    }
    #expect(error?.code == .invalidDocument)
    #expect(atom.value.isEmpty)
    #expect(atom.status.pendingCount == 0)
  }

  @Test func aValueThatIsTooDeepThrowsAndChangesNothing() async throws {
    let atom = try await Scene().atom()
    let error = #expect(throws: SyncError.self) { try atom.swap { $0["a"] = nested(2000) } }
    #expect(error?.code == .invalidDocument)
    #expect(atom.value.isEmpty)
  }

  /// What can be written can also be read again: the deepest value that is taken survives a restart.
  @Test func theDeepestValueSurvivesARestart() async throws {
    let scene = try await Scene()
    let client = try await scene.client()
    let atom = try await client.atom("todo")
    var deepest = 0
    for depth in 500...530 {
      do {
        try atom.swap { $0["a"] = nested(depth) }
        deepest = depth
      } catch {}
    }
    try #require(deepest > 0)
    try await client.close()
    let again = try await scene.client().atom("todo")
    #expect(again.value["a"] == nested(deepest))
  }

  private func nested(_ depth: Int) -> TransitValue { (0..<depth).reduce(1) { value, _ in [value] } }

  @Test func deleteAndCreateAgain() async throws {
    let scene = try await Scene()
    let (atom, other) = (try await scene.atom(), try await scene.other())
    _ = try await atom.swap { $0["a"] = 1 }.confirmed()
    _ = try await atom.swap { $0["a"] = nil }.confirmed()
    try await other.value { $0["a"] == nil }
    let verdicts = try await atom.swap { $0["a"] = 2 }.confirmed().verdicts
    #expect(verdicts == ["a": .accepted(version: 3)])
    try await other.value { $0["a"] == 2 }
  }

  @Test func deleteAndCreateAgainWithoutAServerBetween() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    _ = try await atom.swap { $0["a"] = 1 }.confirmed()
    scene.network.isOnline = false
    try atom.swap { $0["a"] = nil }
    try atom.swap { $0["a"] = 2 }
    #expect(atom.status.pendingCount == 1)
    scene.network.isOnline = true
    try await atom.settled()
    #expect(try await scene.server() == ["a": 2])
  }

  @Test func anEditThatIsUndoneOfflineIsNotSent() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    _ = try await atom.swap { $0["a"] = 1 }.confirmed()
    atom.pause()
    let receipt = try atom.swap { $0["a"] = 2 }
    try atom.swap { $0["a"] = 1 }
    #expect(atom.status.pendingCount == 0)
    #expect(try await receipt.confirmed().isAccepted)
    #expect(scene.network.pushes.count == 1)
  }

  @Test func anEditDuringAPushStaysPendingOnTheNewVersion() async throws {
    let scene = try await Scene()
    let atom = try await scene.atom()
    try await atom.settled()
    let delay = Delay()
    scene.network.plan(.delayAnswer(delay), on: .push)
    let first = try atom.swap { $0["a"] = 1 }
    try await delay.reached()
    let second = try atom.swap { $0["a"] = 2 }
    delay.release()
    #expect(try await first.confirmed().verdicts == ["a": .accepted(version: 1)])
    #expect(try await second.confirmed().verdicts == ["a": .accepted(version: 2)])
    #expect(scene.network.pushes.last?.edits.first?.version == 1)
    #expect(try await scene.server() == ["a": 2])
    #expect(atom.conflicts.isEmpty)
  }

  @Test func anAtomWithoutAServerKeepsEverythingHere() async throws {
    let scene = try await Scene()
    let client = try await scene.client()
    let atom = try await client.atom("todo")
    try await atom.ready()
    try await atom.swap { $0["a"] = 1 }.saved()
    #expect(atom.status.connection == .offline)
    let error = await #expect(throws: SyncError.self) { try await atom.sync() }
    #expect(error?.code == .paused)
    try await client.close()
    let again = try await scene.client().atom("todo", transport: scene.way)
    try await again.settled()
    #expect(try await scene.server() == ["a": 1])
  }

  @Test func twoAtomsOfOneStoreDoNotMeet() async throws {
    let scene = try await Scene()
    let client = try await scene.client()
    let one = try await client.atom("todo", transport: scene.way)
    let two = try await client.atom("done", transport: scene.way)
    try one.swap { $0["a"] = 1 }
    try two.swap { $0["a"] = 2 }
    try await one.settled()
    try await two.settled()
    try await client.close()
    let again = try await scene.client()
    #expect(try await again.atom("todo").contents == ["a": 1])
    #expect(try await again.atom("done").contents == ["a": 2])
  }

  @Test func anAtomIsOpenOnce() async throws {
    let scene = try await Scene()
    let client = try await scene.client()
    let atom = try await client.atom("todo")
    await #expect(throws: SyncError.self) { _ = try await client.atom("todo") }
    await atom.close()
    let again = try await client.atom("todo")
    await atom.close()  // a second time: says nothing about the one that is open now
    await #expect(throws: SyncError.self) { _ = try await client.atom("todo") }
    await again.close()
  }

  @Test func aBadNameIsRefused() async throws {
    let client = try await Scene().client()
    for name in ["", "a\n", String(repeating: "g", count: 129)] {
      await #expect(throws: SyncError.self) { _ = try await client.atom(name) }
      await #expect(throws: SyncError.self) { _ = try await client.atom("todo", name: name) }
    }
  }

  @Test func afterCloseNothingIsTaken() async throws {
    let client = try await Scene().client()
    let atom = try await client.atom("todo")
    try await client.close()
    #expect(throws: SyncError.self) { try atom.swap { $0["a"] = 1 } }
    #expect(atom.status.connection == .stopped(.closed))
    await #expect(throws: SyncError.self) { try await atom.sync() }
    await #expect(throws: SyncError.self) { _ = try await client.atom("more") }
  }

  /// An atom's rows are of one group: under another they would go to where they do not belong.
  @Test func anAtomOfAnotherGroupIsNotOpened() async throws {
    let scene = try await Scene()
    scene.network.isOnline = false
    let client = try await scene.client()
    let atom = try await client.atom("a", name: "x", transport: scene.way)
    try await atom.swap { $0["k"] = 1 }.saved()
    await atom.close()
    func refuses(_ client: AtomsyncClient) async throws {
      let error = await #expect(throws: SyncError.self) {
        _ = try await client.atom("b", name: "x", transport: scene.way)
      }
      #expect(error?.code == .wrongGroup)
      #expect(error?.description.contains("group a,") == true, "\(error?.description ?? "")")
    }
    try await refuses(client)
    try await refuses(try await scene.client())
    scene.network.isOnline = true
    try await scene.client().atom("a", name: "x", transport: scene.way).settled()
    #expect(Set(scene.network.pushes.map(\.group)) == ["a"])
  }
}
