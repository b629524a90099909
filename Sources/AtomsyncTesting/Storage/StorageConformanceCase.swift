public import AtomsyncCore

/// One promise of `Storage`, as something that can be run.
///
/// The kit knows no test framework: a broken promise is a thrown ``ConformanceFailure``. With Swift
/// Testing, a storage is held to all of them by one function:
/// ```swift
/// @Test(arguments: StorageConformanceCase.all)
/// func conforms(_ promise: StorageConformanceCase) async throws {
///   try await promise.run(.mine(at: newTemporaryPath()))
/// }
/// ```
public struct StorageConformanceCase: Sendable, CustomStringConvertible {
  /// What is promised.
  public let name: String
  /// The name.
  public var description: String { name }
  private let body: @Sendable (StorageTrial) async throws -> Void

  init(_ name: String, _ body: @escaping @Sendable (StorageTrial) async throws -> Void) {
    self.name = name
    self.body = body
  }

  /// Tries the promise on an empty store.
  ///
  /// - Parameter provider: opens one and the same store each time it is asked, with `.shared` access unless the
  ///   case is about access. The store must be empty at first and is not used for anything else. What
  ///   the storage's capabilities do not promise is not tried: a store that forgets is not opened again.
  /// - Parameter patience: how long the case may take.
  /// - Throws: ``ConformanceFailure``, or what the storage threw.
  public func run(_ provider: StorageProvider, patience: Duration = .seconds(60)) async throws {
    let trial = StorageTrial(expectations: Expectations(name: name), provider: provider)
    try await trial.expectations.try(patience: patience) { [body] in try await body(trial) }
  }

  /// Every promise. New ones may come with minor versions.
  public static let all: [StorageConformanceCase] =
    order + values + batches + snapshots + lifetime + sharing + model
}

/// One run of a case.
struct StorageTrial: Sendable {
  let expectations: Expectations
  let provider: StorageProvider

  /// Opens the store for the length of `body`.
  func open<Result>(
    _ access: StorageAccess = .shared, _ body: (any Storage) async throws -> Result
  ) async throws -> Result {
    let storage = try await provider.open(access)
    do {
      let result = try await body(storage)
      await storage.close()
      return result
    } catch {
      await storage.close()
      throw error
    }
  }

  func expect(_ holds: Bool, _ message: @autoclosure () -> String) throws {
    try expectations.expect(holds, message())
  }

  func expect<Value: Equatable>(
    _ found: Value, is expected: Value, _ what: @autoclosure () -> String
  ) throws {
    try expectations.expect(found, is: expected, what())
  }

  /// Expects ``StorageError`` with `code`, and no other outcome.
  func expect(
    _ code: StorageError.Code, from what: String, _ body: () async throws -> Void
  ) async throws {
    let error = try await expectations.error(StorageError.self, from: what, body)
    try expect(error.code, is: code, "the error of \(what)")
  }
}

extension Storage {
  /// Writes without conditions.
  func put(_ entries: [([UInt8], [UInt8])]) async throws {
    _ = try await commit(StorageBatch(writes: entries.map { .put($0.0, $0.1) }))
  }
}

/// Bytes of a text, for keys that people can read.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
