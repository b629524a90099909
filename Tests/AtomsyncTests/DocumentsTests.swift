import Atomsync
import AtomsyncTesting
import Testing
import Transit

/// What a swap does to its argument, in the middle of it and after it.
@Suite(.timeLimit(.minutes(1))) struct DocumentsTests {
  /// More than a swap keeps aside, so that some are in the tree already and some are not.
  @Test(arguments: [1, 16, 17, 100]) func aSwapSeesItsOwnChanges(count: Int) async throws {
    let atom = try await Scene().atom()
    try atom.swap { for number in 0..<50 { $0["\(number)"] = .int(Int64(number)) } }
    let before = atom.value
    let receipt = try atom.swap { documents in
      for number in 0..<count { documents["\(number)"] = "changed" }
      documents["0"] = nil
      #expect(documents["0"] == nil && !documents.contains("0"))
      #expect(documents.count == max(50, count) - 1)
      #expect(Set(documents.ids) == Set((1..<max(50, count)).map { "\($0)" }))
      #expect(documents.reduce(0) { $0 + ($1.value == "changed" ? 1 : 0) } == count - 1)
    }
    #expect(receipt.id.documents == Set((0..<count).map { "\($0)" }))
    #expect(atom.value.count == max(50, count) - 1)
    for number in 1..<max(50, count) {
      #expect(atom.value["\(number)"] == (number < count ? "changed" : .int(Int64(number))))
    }
    #expect(before.count == 50 && before["0"] == 0, "a snapshot does not change")
  }

  @Test func everythingCanBeRemovedAndSomeOfItPutBack() async throws {
    let atom = try await Scene().atom()
    try atom.swap { for number in 0..<20 { $0["\(number)"] = 1 } }
    let receipt = try atom.swap {
      $0["x"] = 1
      $0.removeAll()
      #expect($0.isEmpty)
      $0["3"] = 3
    }
    #expect(atom.contents == ["3": 3])
    #expect(receipt.id.documents.count == 20)
  }

  @Test func whatWasDeletedBeforeEverythingIsDeletedToo() async throws {
    let atom = try await Scene().atom()
    try atom.swap { for number in 0..<3 { $0["\(number)"] = 1 } }
    let receipt = try atom.swap {
      $0["0"] = nil
      $0.removeAll()
    }
    #expect(atom.contents == [:])
    #expect(receipt.id.documents == ["0", "1", "2"])
  }

  /// What `body` makes of its argument becomes the value, also when it puts something else in its place.
  @Test func theWholeArgumentCanBeReplaced() async throws {
    let atom = try await Scene().atom()
    try atom.swap {
      $0["a"] = 1
      $0["b"] = 2
    }
    let backup = atom.value
    try atom.swap { $0 = ["c": 3] }
    #expect(atom.contents == ["c": 3])
    try atom.swap { $0 = backup }
    #expect(atom.contents == ["a": 1, "b": 2])
    var copy = atom.value
    copy["a"] = nil
    copy["d"] = 4
    try atom.swap { [copy] in $0 = copy }
    #expect(atom.contents == ["b": 2, "d": 4])
    let receipt = try atom.swap { $0 = [:] }
    #expect(atom.value.isEmpty && receipt.id.documents == ["b", "d"])
  }

  @Test func aSwapThatIsOvertakenRunsAgainOnTheNewValue() async throws {
    let atom = try await Scene().atom()
    try atom.swap { $0["a"] = 1 }
    try atom.swap { documents in
      if documents["a"] == 1 { try atom.swap { $0["a"] = 10 } }
      documents["a"] = documents["a"].flatMap(\.intValue).map { .int($0 + 1) }
    }
    #expect(atom.value["a"] == 11)
  }
}
