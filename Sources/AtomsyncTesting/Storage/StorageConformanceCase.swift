public import AtomsyncCore

/// One promise of ``AtomsyncCore/Storage``, as something that can be run.
///
/// The kit knows no test framework: a broken promise is a thrown ``StorageConformanceFailure``. With Swift
/// Testing, a storage is held to all of them by one function:
/// ```swift
/// @Test(arguments: StorageConformanceCase.all)
/// func conforms(_ promise: StorageConformanceCase) async throws {
///   try await promise.run(.mine(at: newTemporaryPath()))
/// }
/// ```
public struct StorageConformanceCase: Sendable, CustomStringConvertible {
  public let name: String
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
  /// - Throws: ``StorageConformanceFailure``, or what the storage threw.
  public func run(_ provider: StorageProvider) async throws {
    try await body(StorageTrial(name: name, provider: provider))
  }

  /// Every promise. New ones may come with minor versions.
  public static let all: [StorageConformanceCase] =
    order + values + batches + snapshots + lifetime + sharing + model
}

/// A promise that a storage broke.
public struct StorageConformanceFailure: Error, CustomStringConvertible {
  /// The name of the case.
  public let promise: String
  /// What was expected and what happened.
  public let message: String
  public var description: String { "\(promise): \(message)" }
}

/// One run of a case.
struct StorageTrial: Sendable {
  let name: String
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
    if !holds { throw StorageConformanceFailure(promise: name, message: message()) }
  }

  func expect<Value: Equatable>(
    _ found: Value, is expected: Value, _ what: @autoclosure () -> String
  ) throws {
    try expect(found == expected, "\(what()): expected \(short(expected)), found \(short(found))")
  }

  /// Expects ``StorageError`` with `code`, and no other outcome.
  func expect(
    _ code: StorageError.Code, from what: String, _ body: () async throws -> Void
  ) async throws {
    do {
      try await body()
    } catch let error as StorageError {
      return try expect(error.code, is: code, "the error of \(what)")
    } catch {
      throw StorageConformanceFailure(promise: name, message: "\(what) threw \(error), not a StorageError")
    }
    throw StorageConformanceFailure(promise: name, message: "\(what) did not throw")
  }

  private func short(_ value: Any) -> String {
    let text = "\(value)"
    return text.count > 300 ? text.prefix(300) + "…" : text
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
