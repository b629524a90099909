import AtomsyncCore
import AtomsyncPostgres
import AtomsyncTesting
import Testing

/// Every promise of a storage, on PostgreSQL.
@Suite(.enabled(if: Cluster.url != nil, "PostgreSQL is not installed."))
struct ConformanceTests {
  /// Behind a pooler nobody can have a store alone, and that is said.
  private static let promises = StorageConformanceCase.all.filter { promise in
    !(Cluster.isPooled && promise.name == "exclusive access keeps others out until it closes")
  }

  @Test(arguments: promises)
  func postgres(_ promise: StorageConformanceCase) async throws {
    try await promise.run(.postgres(Cluster.newStore()))
  }
}
