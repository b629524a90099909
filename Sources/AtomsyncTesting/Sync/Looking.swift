package import Atomsync
package import Transit

extension SyncedAtom where Element == TransitValue {
  /// The documents that can be shown, as a dictionary.
  package var contents: [String: TransitValue] {
    Dictionary(uniqueKeysWithValues: value.map { ($0.id, $0.value) })
  }
}

/// Waits for something that cannot be waited for otherwise.
package func eventually(_ condition: () async throws -> Bool) async throws {
  while try await !condition() {
    try Task.checkCancellation()
    await Task.yield()
  }
}
