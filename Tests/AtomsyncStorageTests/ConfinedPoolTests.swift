import AtomsyncCore
import AtomsyncStorageSupport
import Foundation
import Testing

@Suite(.timeLimit(.minutes(1))) struct ConfinedPoolTests {
  private final class Value {
    let number: Int
    init(_ number: Int) { self.number = number }
  }
  private struct NoMore: Error {}

  /// Runs `count` closures that wait until all of them run at once.
  private func together(_ count: Int, in pool: ConfinedPool<Value>) async throws -> Set<Int> {
    let all = DispatchSemaphore(value: 0)
    let here = Lock(0)
    return try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<count {
        group.addTask {
          try await pool.run { value in
            let isLast = here.withLock {
              $0 += 1
              return $0 == count
            }
            if isLast { for _ in 0..<count { all.signal() } }
            all.wait()
            return value.number
          }
        }
      }
      return try await group.reduce(into: []) { $0.insert($1) }
    }
  }

  @Test func valuesAreMadeWhenTheyAreNeeded() async throws {
    let made = Lock(0)
    let pool = ConfinedPool(Value(0), size: 3, label: "test") {
      Value(
        made.withLock {
          $0 += 1
          return $0
        })
    }
    for _ in 0..<10 { #expect(try await pool.run { $0.number } == 0) }
    #expect(made.withLock { $0 } == 0)
    #expect(try await together(3, in: pool) == [0, 1, 2])
    #expect(made.withLock { $0 } == 2)
    await pool.close()
    let error = await #expect(throws: StorageError.self) { try await pool.run { $0.number } }
    #expect(error?.code == .closed)
  }

  @Test func withoutMoreTheFirstDoesTheWork() async throws {
    let pool = ConfinedPool(Value(7), size: 3, label: "test") { throw NoMore() }
    let numbers = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<100 { group.addTask { try await pool.run { $0.number } } }
      return try await group.reduce(into: [Int]()) { $0.append($1) }
    }
    #expect(numbers == Array(repeating: 7, count: 100))
    await pool.close()
  }
}
