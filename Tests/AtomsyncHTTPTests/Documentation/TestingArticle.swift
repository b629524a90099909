import Atomsync
import AtomsyncCore
import AtomsyncTesting
import Testing
import Transit

/// What the article on testing shows, run.
@Suite(.timeLimit(.minutes(1))) struct TestingArticleTests {
  private struct Note: Codable, Sendable, Equatable {
    var title: String
    var text: String
  }

  @Test func devices() async throws {
    let sync = try await TestSync()
    let (phone, laptop) = (sync.device(), sync.device())
    let notes = try await phone.atom("notes", of: Note.self)
    let others = try await laptop.atom("notes", of: Note.self)

    phone.network.isOnline = false
    try await notes.swap { $0["note:1"] = Note(title: "Milk", text: "") }.saved()
    phone.kill()  // and started again by the next line

    phone.network.isOnline = true
    let again = try await phone.atom("notes", of: Note.self)
    try await sync.runUntilIdle()
    #expect(again.value["note:1"] == others.value["note:1"])
    try await sync.expectConverged()
  }

  @Test func networks() async throws {
    let sync = try await TestSync()
    let phone = sync.device()
    let notes = try await phone.atom("notes", of: Note.self)
    phone.network.plan(.dropAnswer, on: .push)  // the server takes it, and nobody hears of it
    phone.network.always(.unavailable, on: .pull)
    phone.network.cutLive(nil)
    try notes.swap { $0["note:1"] = Note(title: "Milk", text: "") }
    phone.network.always(nil, on: .pull)
    try await sync.runUntilIdle()
    #expect(try await sync.documents("notes").count == 1)
  }

  @Test func disks() async throws {
    let phone = try await TestSync().device()
    let notes = try await phone.atom("notes", of: Note.self)
    phone.disk.isFull = true
    try notes.swap { $0["note:2"] = Note(title: "Bread", text: "") }
    #expect(notes.value.count == 1)  // visible; the status tells that it is not saved
    phone.disk.isFull = false
    try await notes.sync()
  }

  @Test func clocks() async throws {
    let clock = ManualClock()
    let sync = try await TestSync { $0.follow(clock) }
    clock.advance(by: .seconds(24 * 3600))
    _ = sync
  }

  @Test func aSingleAtom() async throws {
    let notes = try await TestSync().atom("notes", of: Note.self)
    #expect(notes.value.isEmpty)
  }

  @Test func merges() throws {
    for seed in 0..<5 as Range<UInt64> {  // by night, many more
      var simulation = Simulation(seed: seed, policies: [.merge { $0.local ?? $0.remote }])
      simulation.makeValue = { random, count in ["title": .string("no. \(count)")] }
      try simulation.run()
    }
  }

  private func ofOnesOwn(_ seed: UInt64, _ myMerge: @escaping ConflictPolicy.Merge) throws {
    var simulation = Simulation(seed: seed, policies: [.merge(myMerge)])
    simulation.makeValue = { random, count in ["title": .string("no. \(count)")] }
    try simulation.run()
  }
}
