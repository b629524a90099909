import AtomsyncCore
import AtomsyncTesting
import Testing

/// Each promise of the kit is broken by a storage that breaks it, and by no other fault of the double: without its
/// flaw it keeps them all.
@Suite struct StorageKitTests {
  /// The flaw that each promise has to find.
  static let flaws: [String: StorageFlaw] = [
    "keys order as unsigned bytes, shorter first": .signedOrder,
    "a range has its lower bound and not its upper": .upperBoundIncluded,
    "a bound as long as the longest key is a bound": .cutsBounds,
    "limits end a scan and say so": .neverSaysMore,
    "an empty value is a value": .emptyIsAbsent,
    "big values come back whole": .cutsBigValues,
    "keys and values are any bytes": .valuesEndAtZero,
    "keys of 448 bytes are accepted": .shortKeys,
    "a key that is too long is refused before anything is written": .takesLongKeys,
    "answers come in the order of the questions": .sortsQuestions,
    "preconditions see the batches before them": .batchesSeeOldState,
    "a refused batch writes nothing and its neighbours all": .refusedBatchWrites,
    "preconditions hold before the batch's own writes": .preconditionsAfterWrites,
    "the last write of a key wins": .firstWriteWins,
    "equals compares whole values": .equalsComparesPrefix,
    "no batch is no error, and neither is an empty one": .refusesEmptyCommit,
    "a read sees all of a batch or none of it": .tornReads,
    "a read that starts after a commit sees it": .staleReads,
    "concurrent commits with conditions lose nothing": .racingCommits,
    "a new store is empty": .isNeverEmpty,
    "what was committed is there after reopening": .forgets,
    "after close, every call says closed": .answersAfterClose,
    "close waits for the commits that were begun": .losesCommitsAtClose,
    "foreignCommits ends when the storage closes": .bellOutlivesClose,
    "foreignCommits ends when its task is cancelled": .bellOutlivesCancellation,
    "two handles see each other's commits": .copyForEachHandle,
    "commits of two handles lose nothing": .racingCommits,
    "foreignCommits rings for another handle's commit": .silentBell,
    "a commit that changes nothing hides no other's": .emptyCommitsHideOthers,
    "closing one handle leaves the other open": .closesOthers,
    "exclusive access keeps others out until it closes": .ignoresAccess,
    "a thousand random operations end as in the model, seed 1": .ignoresLimitsInReverse,
    "a thousand random operations end as in the model, seed 2": .firstWriteWins,
    "a thousand random operations end as in the model, seed 3": .batchesSeeOldState,
    "a thousand random operations end as in the model, seed 4": .refusedBatchWrites,
  ]

  /// What is found by waiting in vain.
  static let hanging: Set<StorageFlaw> = [
    .bellOutlivesClose, .bellOutlivesCancellation, .silentBell, .emptyCommitsHideOthers,
  ]

  @Test(arguments: StorageConformanceCase.all)
  func aStorageWithoutFlawsPasses(_ promise: StorageConformanceCase) async throws {
    try await promise.run(FlawedDisk(nil).provider)
  }

  @Test(arguments: StorageConformanceCase.all)
  func aFlawIsFound(_ promise: StorageConformanceCase) async throws {
    let flaw = try #require(Self.flaws[promise.name])
    let hangs = Self.hanging.contains(flaw)
    let error = await #expect(throws: (any Error).self) {
      try await promise.run(FlawedDisk(flaw).provider, patience: .seconds(hangs ? 1 : 60))
    }
    let isGivenUp = (error as? ConformanceFailure)?.message.contains("did not end") == true
    #expect(isGivenUp == hangs, "\(error.map { "\($0)" } ?? "")")
  }
}
