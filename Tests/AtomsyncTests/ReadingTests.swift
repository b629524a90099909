import Atomsync
import AtomsyncCore
import Observation
import Testing
import Transit

private struct Todo: Codable, Sendable, Equatable {
  var text: String
  var rank = 0
}

/// Lenses, order, and what a swap hands back.
@Suite(.timeLimit(.minutes(1))) struct ReadingTests {
  private func atom() async throws -> SyncedAtom<Todo> {
    try await AtomsyncClient.open(Scene.configuration()).atom("todo", of: Todo.self)
  }

  @Test func aLensHasAnAtomsVerbs() async throws {
    let atom = try await atom()
    let milk = atom.document("milk")
    var changes = milk.changes.makeAsyncIterator()
    var values = milk.values.makeAsyncIterator()
    #expect(await values.next() == .some(nil))
    try milk.swap { $0 = Todo(text: "milk") }
    try atom.swap { $0["bread"] = Todo(text: "bread") }
    try milk.swap { $0?.rank = 7 }
    #expect(milk.value == Todo(text: "milk", rank: 7))
    let made = try #require(await changes.next())
    #expect(made.old == nil && made.new == Todo(text: "milk"))
    let changed = try #require(await changes.next())
    #expect(changed.old?.rank == 0 && changed.new?.rank == 7)
    #expect(await values.next()??.rank == 7)
    #expect(try milk.compareAndSet(expecting: nil, to: nil) == nil)
    #expect(try milk.compareAndSet(expecting: milk.value, to: Todo(text: "m")) != nil)
    try milk.reset(to: nil)
    #expect(milk.value == nil && atom.value.ids == ["bread"])
    #expect(await values.next() == .some(nil))
    await atom.close()
    #expect(await changes.next()?.new?.text == "m")
    #expect(await changes.next().map { $0.new == nil } == true)
    #expect(await changes.next().map { _ in 1 } == nil)
    #expect(await values.next() == nil)
    #expect(throws: SyncError.self) { try milk.reset(to: Todo(text: "late")) }
  }

  @Test func documentsAreReadInOrder() async throws {
    let atom = try await atom()
    try atom.swap {
      $0["b"] = Todo(text: "x", rank: 1)
      $0["a"] = Todo(text: "z", rank: 1)
      $0["\u{E9}"] = Todo(text: "y", rank: 0)
      $0["\u{E9}x"] = Todo(text: "y", rank: 3)
    }
    let value = atom.value
    let ids = value.sorted().map(\.id)
    #expect(ids.elementsEqual(["a", "b", "\u{E9}", "\u{E9}x"]))
    #expect(value.sorted(by: \.rank).map(\.value.rank) == [0, 1, 1, 3])
    #expect(value.sorted(by: \.rank).map(\.id)[1...2] == ["a", "b"])
    #expect(value.sorted(by: \.rank, descending: true).map(\.id)[1...2] == ["a", "b"])
    #expect(value.sorted(by: \.text).map(\.value.text) == ["x", "y", "y", "z"])
  }

  @Test func aSwapHandsBackWhatItsLastRunReturned() async throws {
    let atom = try await atom()
    let runs = Lock(0)
    let (id, receipt) = try atom.swapReturning { documents in
      // Another change in between makes it run again.
      let run = runs.withLock { runs in
        runs += 1
        return runs
      }
      if run == 1 { try atom.swap { $0["between"] = Todo(text: "between") } }
      let id = "todo:\(documents.count)"
      documents[id] = Todo(text: "new")
      return id
    }
    #expect(id == "todo:1" && runs.withLock { $0 } == 2)
    try await receipt.saved()
    #expect(Set(atom.value.ids) == ["between", "todo:1"])
  }
}

/// Atoms in views.
@Suite(.timeLimit(.minutes(1))) @MainActor struct ObservationTests {
  /// Counts how often what `read` has read changed, and reads again.
  @MainActor private final class Tracker {
    private(set) var count = 0
    private let read: @MainActor () -> Void

    init(_ read: @escaping @MainActor () -> Void) {
      self.read = read
      track()
    }

    private func track() {
      withObservationTracking {
        MainActor.assumeIsolated { read() }
      } onChange: { [weak self] in
        MainActor.assumeIsolated {
          self?.count += 1
          Task { @MainActor in self?.track() }
        }
      }
    }
  }

  @Test func onlyWhatIsReadIsTracked() async throws {
    let client = try await AtomsyncClient.open(Scene.configuration())
    let atom = try await client.atom("todo", of: Todo.self)
    try atom.swap { $0["mine"] = Todo(text: "m") }
    let model = ObservableAtom(atom)
    let mine = Tracker { _ = model["mine"] }
    let missing = Tracker { _ = model["missing"] }
    let all = Tracker { _ = model.value.count }
    for number in 0..<10_000 { try atom.swap { $0["other:\(number)"] = Todo(text: "o") } }
    // Without a turn of the main actor in between.
    #expect(model.value.count == 10_001 && model["other:9999"]?.text == "o")
    while all.count == 0 { await Task.yield() }
    #expect(mine.count == 0 && missing.count == 0)
    try atom.swap {
      $0["mine"]?.rank = 1
      $0["missing"] = Todo(text: "found")
    }
    #expect(model["mine"]?.rank == 1 && model["missing"]?.text == "found")
    while mine.count == 0 || missing.count == 0 { await Task.yield() }
    try atom.swap { $0["mine"]?.rank = 2 }
    while mine.count == 1 { await Task.yield() }
    #expect(missing.count == 1)
    await atom.close()
    #expect(model["mine"]?.rank == 2)
  }

  @Test func theStatusIsTracked() async throws {
    let scene = try await Scene()
    let model = ObservableAtom(try await scene.atom())
    let status = Tracker { _ = model.status }
    _ = try await model.atom.swap { $0["a"] = 1 }.confirmed()
    while status.count == 0 { await Task.yield() }
    #expect(model.status.pendingCount == 0 && model.status.lastPush != nil)
    #expect(try await scene.server() == ["a": 1])
  }
}
