import AtomsyncTesting
import Foundation
import Testing

@Suite(.timeLimit(.minutes(1))) struct ManualClockTests {
  @Test func sleepersWakeInTheOrderOfTheirDeadlines() async throws {
    let clock = ManualClock(Date(timeIntervalSince1970: 1))
    let (woken, continuation) = AsyncStream.makeStream(of: String.self)
    for (name, milliseconds) in [("never", 31), ("late", 30), ("early", 10)] {
      Task {
        try? await clock.sleep(for: .milliseconds(milliseconds))
        continuation.yield("\(name) at \(clock.now.offset)")
      }
      await clock.sleeps(atMost: .milliseconds(milliseconds))
    }
    var names = woken.makeAsyncIterator()
    clock.advance(by: .milliseconds(9))
    #expect(clock.sleeperCount == 3)
    clock.advance(by: .milliseconds(1))
    #expect(await names.next() == "early at 1.01 seconds")
    clock.advance(by: .milliseconds(20))
    #expect(await names.next() == "late at 1.03 seconds")
    #expect(clock.sleeperCount == 1)
  }

  @Test func eachSleeperFindsTheClockAtItsOwnDeadline() async throws {
    let clock = ManualClock(Date(timeIntervalSince1970: 0))
    let sleeper = Task {
      try await clock.sleep(for: .seconds(1))
      return clock.now.offset
    }
    await clock.sleeps(atMost: .seconds(1))
    clock.advance(by: .seconds(60))
    #expect(try await sleeper.value >= .seconds(1))
    #expect(clock.now.offset == .seconds(60) && clock.date == Date(timeIntervalSince1970: 60))
  }

  @Test func cancellationEndsASleep() async throws {
    let clock = ManualClock()
    let sleeper = Task { try await clock.sleep(for: .seconds(1)) }
    await clock.sleeps(atMost: .seconds(1))
    sleeper.cancel()
    await #expect(throws: CancellationError.self) { try await sleeper.value }
    #expect(clock.sleeperCount == 0)
  }

  @Test func aWatcherSeesWhatAnAdvanceBringsNear() async throws {
    let clock = ManualClock()
    let sleeper = Task { try await clock.sleep(for: .seconds(60)) }
    await clock.sleeps(atMost: .seconds(60))
    let watcher = Task { await clock.sleeps(atMost: .seconds(30)) }
    clock.advance(by: .seconds(40))
    await watcher.value
    sleeper.cancel()
  }

  @Test func noTimeIsNoSleep() async throws {
    let clock = ManualClock()
    try await clock.sleep(for: .zero)
    #expect(clock.sleeperCount == 0)
  }
}
