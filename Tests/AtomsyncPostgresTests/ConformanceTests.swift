import AtomsyncCore
import AtomsyncPostgres
import AtomsyncTesting
import Testing

/// Every promise of a storage, on PostgreSQL.
@Suite(.enabled(if: Cluster.url != nil, "PostgreSQL is not installed."))
struct ConformanceTests {
  @Test(arguments: StorageConformanceCase.all)
  func postgres(_ promise: StorageConformanceCase) async throws {
    try await promise.run(.postgres(Cluster.newStore()))
  }
}
