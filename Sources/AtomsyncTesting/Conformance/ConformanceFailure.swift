/// A promise of a protocol that an implementation broke.
public struct ConformanceFailure: Error, CustomStringConvertible {
  /// The name of the case.
  public let promise: String
  /// What was expected and what happened.
  public let message: String
  /// The name of the case, and the message.
  public var description: String { "\(promise): \(message)" }
}

/// What the cases of all kits say about what they find.
struct Expectations: Sendable {
  /// The promise that is tried.
  let name: String

  /// Runs the body of a case. What should end and does not is a failure after `patience`.
  func `try`(patience: Duration, _ body: @escaping @Sendable () async throws -> Void) async throws {
    try await within(patience, or: { fail("something did not end within \(patience)") }, body)
  }

  func expect(_ holds: Bool, _ message: @autoclosure () -> String) throws {
    if !holds { throw fail(message()) }
  }

  func expect<Value: Equatable>(
    _ found: Value, is expected: Value, _ what: @autoclosure () -> String
  ) throws {
    try expect(found == expected, "\(what()): expected \(short(expected)), found \(short(found))")
  }

  /// The error of `body`, which has to be of this type.
  func error<Failure: Error>(
    _ type: Failure.Type, from what: String, _ body: () async throws -> Void
  ) async throws -> Failure {
    do {
      try await body()
    } catch let error as Failure {
      return error
    } catch {
      throw fail("\(what) threw \(error), not a \(Failure.self)")
    }
    throw fail("\(what) did not throw")
  }

  func fail(_ message: String) -> ConformanceFailure { ConformanceFailure(promise: name, message: message) }

  private func short(_ value: Any) -> String {
    let text = "\(value)"
    return text.count > 300 ? text.prefix(300) + "…" : text
  }
}
