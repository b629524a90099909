import AtomsyncCore
import AtomsyncTesting
import Foundation
import Testing
import Transit

@testable import Atomsync

/// What an older version of an app knows of a document.
private struct Todo: Codable, Sendable, Equatable {
  struct Step: Codable, Sendable, Equatable {
    var id: Int?
    var text: String
  }
  var text: String
  var note: String?
  var steps: [Step] = []
  var owner: Step?
}

private struct Note: Codable, Sendable, Equatable { var body: String }

/// What an element should not be.
private final class Box: Codable, @unchecked Sendable {
  // Unchecked, because it can be changed, which is what it is here for: a change of an object is seen by nobody. Sound,
  // because one test, on one task, has it.
  var text: String
  init(text: String) { self.text = text }
}

private struct Boxed: Codable, Sendable { var box: Box }

/// Counts how often it is decoded.
private struct Counted: Codable, Sendable {
  static let decodings = Lock(0)
  var number: Int

  init(number: Int) { self.number = number }

  init(from decoder: any Decoder) throws {
    Self.decodings.withLock { $0 += 1 }
    number = try decoder.container(keyedBy: CodingKeys.self).decode(Int.self, forKey: .number)
  }
}

private func edn(_ text: String) throws -> TransitValue { try TransitValue(edn: text) }

/// Documents that other versions of an app have written.
@Suite(.timeLimit(.minutes(1))) struct ChangingTypesTests {
  /// An atom of the older app on documents of the newer.
  private func atom(
    _ documents: [String: String], _ conflicts: ConflictPolicy = .serverWins
  ) async throws -> (Scene, SyncedAtom<Todo>) {
    let scene = try await Scene()
    let newer = try await scene.other()
    let values = try documents.mapValues { try edn($0) }
    _ = try await newer.swap { for (id, value) in values { $0[id] = value } }.confirmed()
    let client = try await scene.client()
    let atom = try await client.atom("todo", of: Todo.self, transport: scene.way, conflicts: conflicts)
    try await atom.value { $0.count == documents.count }
    return (scene, atom)
  }

  @Test(arguments: [
    // What is done to it, what there was, and what is to be.
    (0, #"{:text "a" :steps [] :color :red}"#, #"{:text "new" :steps [] :color :red}"#),
    // A name may be a string.
    (0, #"{"text" "a" :steps [] "color" 1}"#, #"{"text" "new" :steps [] "color" 1}"#),
    // What the type removes is gone, what it does not know is not.
    (
      1, #"{:text "a" :note "n" :steps [] :due #inst "2026-01-01T00:00:00.000Z"}"#,
      #"{:text "a" :steps [] :due #inst "2026-01-01T00:00:00.000Z"}"#
    ),
    // At every depth.
    (
      2, #"{:text "a" :steps [] :owner {:text "o" :mail {:home "x"}}}"#,
      #"{:text "a" :steps [] :owner {:text "new" :mail {:home "x"}}}"#
    ),
    // Elements are found by their id, ...
    (
      3,
      #"{:text "a" :steps [{:id 1 :text "one" :n 1} {:id 2 :text "two" :n 2} {:id 3 :text "three" :n 3}]}"#,
      #"{:text "a" :steps [{:id 3 :text "three" :n 3} {:text "between"} {:id 1 :text "new" :n 1}]}"#
    ),
    // ... by what they are, or by their place.
    (
      4, #"{:text "a" :steps [{:text "one" :n 1} {:text "two" :n 2} {:text "three" :n 3}]}"#,
      #"{:text "a" :steps [{:text "three" :n 3} {:text "one" :n 1}]}"#
    ),
    (
      5, #"{:text "a" :steps [{:text "one" :n 1} {:text "two" :n 2}]}"#,
      #"{:text "a" :steps [{:text "one" :n 1} {:text "new" :n 2}]}"#
    ),
    // What was not touched stays as it was stored, be it another type that decodes to the same.
    (
      0, #"{:text "a" :steps ({:text "one" :n 1}) :color 1}"#,
      #"{:text "new" :steps ({:text "one" :n 1}) :color 1}"#
    ),
  ]) func whatTheTypeDoesNotKnowIsKept(change: Int, before: String, after: String) async throws {
    let (scene, atom) = try await atom(["a": before])
    _ = try await atom.swap { documents in
      var todo = try #require(documents["a"])
      switch change {
      case 0: todo.text = "new"
      case 1: todo.note = nil
      case 2: todo.owner?.text = "new"
      case 3:
        todo.steps = [todo.steps[2], Todo.Step(text: "between"), Todo.Step(id: 1, text: "new")]
      case 4: todo.steps = [todo.steps[2], todo.steps[0]]
      default: todo.steps[1].text = "new"
      }
      documents["a"] = todo
    }.confirmed()
    #expect(try await scene.server()["a"] == edn(after))
    // Twice in one swap is as once.
    try atom.swap {
      $0["a"]?.note = "x"
      $0["a"]?.note = nil
    }
    #expect(try atom.value.transit("a") == edn(after))
  }

  @Test(arguments: [
    // What is stored, what a type makes of it, what it makes of the change, what is to be.
    // A name that is stored in two ways is two fields, of which the type knows one.
    (#"{:a 1 "a" 2}"#, "{:a 1}", "{:a 3}", #"{:a 3 "a" 2}"#),
    (#"{"a" 2 :a 1}"#, "{:a 1}", "{}", #"{"a" 2}"#),
    // A field may be found by a number.
    ("{1 :one 2 :two}", "{:1 :one}", "{:1 :new}", "{1 :new 2 :two}"),
    ("{1 :one 2 :two}", "{1 :one 2 :two}", "{1 :one}", "{1 :one}"),
    // What lies under a tag, and a set, which is known or not as a whole.
    (#"#point {:x 1 :z 3}"#, "#point {:x 1}", "#point {:x 2}", "#point {:x 2 :z 3}"),
    (#"#point {:x 1 :z 3}"#, "#point {:x 1}", "#other {:x 2}", "#other {:x 2}"),
    ("{:s #{1 2} :u 1}", "{:s #{1 2}}", "{:s #{2 3}}", "{:s #{2 3} :u 1}"),
    // One is edited while others come or go.
    (
      "[{:a 1 :u 1} {:a 2 :u 2}]", "[{:a 1} {:a 2}]", "[{:a 9} {:a 2} {:a 3}]",
      "[{:a 9 :u 1} {:a 2 :u 2} {:a 3}]"
    ),
    ("[{:a 1 :u 1} {:a 2 :u 2}]", "[{:a 1} {:a 2}]", "[{:a 9}]", "[{:a 9 :u 1}]"),
    // What a type leaves out of an array keeps its place.
    ("[{:a 1 :u 1} :odd {:a 2}]", "[{:a 1} {:a 2}]", "[{:a 9} {:a 2}]", "[{:a 9 :u 1} :odd {:a 2}]"),
    ("[:odd {:a 1 :u 1} :last]", "[{:a 1}]", "[{:a 1} {:a 2}]", "[:odd {:a 1 :u 1} :last {:a 2}]"),
    ("[{:a 1} :odd]", "[{:a 1}]", "[]", "[:odd]"),
    ("[3 1 2]", "[1 2]", "[1 2 4]", "[3 1 2 4]"),
    // A type that sorts does not tell.
    ("[3 3 1]", "[1 3]", "[1 2 3]", "[1 2 3]"),
    // Sets of what has fields, be the type's a set or an array.
    (
      "#{{:a 1 :u 1} {:a 2 :u 2}}", "#{{:a 2} {:a 1}}", "#{{:a 1} {:a 2} {:a 3}}",
      "#{{:a 1 :u 1} {:a 2 :u 2} {:a 3}}"
    ),
    ("#{{:id 1 :a 1 :u 1}}", "#{{:id 1 :a 1}}", "#{{:id 1 :a 2}}", "#{{:id 1 :a 2 :u 1}}"),
    ("#{{:a 1 :u 1}}", "[{:a 1}]", "[{:a 2}]", "#{{:a 2 :u 1}}"),
    // Keys that are numbers.
    ("{1 :one 2 :two}", "{1.0 :one 2.0 :two}", "{2.0 :two}", "{2 :two}"),
    // Text of another kind.
    ("{:k :done :u 1}", "{:k :done}", "{:k \"\u{4}done\"}", "{:k \"\u{4}done\" :u 1}"),
    // Equal elements are as many as they were.
    (
      "[{:a 1 :u 1} {:a 1 :u 2}]", "[{:a 1} {:a 1}]", "[{:a 1} {:a 1} {:a 1}]",
      "[{:a 1 :u 1} {:a 1 :u 2} {:a 1}]"
    ),
  ]) func unknownFields(old: String, known: String, new: String, expected: String) throws {
    let kept = UnknownFields.keeping(try edn(old), known: try edn(known), in: try edn(new))
    #expect(try kept == edn(expected))
  }

  /// A value is compared once, and not at each level that is around it.
  @Test func depthCostsNothing() throws {
    func seconds(depth: Int) throws -> Double {
      func document(_ last: Int64, unknown: Bool) -> TransitValue {
        // Each in memory of its own, so that it has to be compared.
        var value: TransitValue = [.bytes(Array(repeating: 7, count: 1 << 20)), .int(last)]
        for _ in 0..<depth { value = .map([.keyword("in"): value]) }
        return unknown ? .map([.keyword("in"): value, .keyword("new"): 1]) : .map([.keyword("in"): value])
      }
      let (old, known, new) = (
        document(1, unknown: true), document(1, unknown: false), document(2, unknown: false)
      )
      return (0..<3).map { _ in
        let start = ContinuousClock.now
        #expect(UnknownFields.keeping(old, known: known, in: new) == document(2, unknown: true))
        return (ContinuousClock.now - start) / .seconds(1)
      }.min() ?? 0
    }
    let shallow = try seconds(depth: 2)
    #expect(try seconds(depth: 400) < shallow * 10)
  }

  @Test func resetAndCompareKeepItAsWell() async throws {
    let (_, atom) = try await atom([
      "a": #"{:text "a" :steps [] :color :red}"#, "b": #"{:text "b" :steps []}"#,
    ])
    #expect(try atom.compareAndSet("a", expecting: Todo(text: "b"), to: nil) == nil)
    #expect(try atom.compareAndSet("a", expecting: Todo(text: "a"), to: Todo(text: "c")) != nil)
    #expect(try atom.value.transit("a") == edn(#"{:text "c" :steps [] :color :red}"#))
    try atom.reset(to: ["a": Todo(text: "d"), "c": Todo(text: "new")])
    #expect(try atom.value.transit("a") == edn(#"{:text "d" :steps [] :color :red}"#))
    #expect(Set(atom.value.ids) == ["a", "c"])
    let now = atom.value
    try atom.reset(to: now)
    #expect(atom.value == now)
  }

  /// A snapshot is put back as it was, and what is there since is not half kept.
  @Test func aSnapshotIsPutBack() async throws {
    let (_, atom) = try await atom([
      "odd": #"{:headline "h"}"#, "a": #"{:text "a" :steps [] :color :red}"#, "b": #"{:text "b" :steps []}"#,
    ])
    let before = atom.value
    try atom.swap {
      $0["a"]?.text = "changed"
      $0.remove("odd")
      $0.remove("b")
      $0["new"] = Todo(text: "new")
    }
    try atom.reset(to: before)
    #expect(atom.value == before && atom.value.undecodable.map(\.id) == ["odd"])
    // In the middle of a swap as well, whatever was done before.
    try atom.swap {
      $0.removeAll()
      $0 = before
      $0["b"]?.text = "bb"
    }
    #expect(try atom.value.transit("a") == edn(#"{:text "a" :steps [] :color :red}"#))
    #expect(atom.value["b"]?.text == "bb" && atom.value.count == 3)
  }

  @Test func whatCannotBeAssignedIsNotDroppedByAReset() async throws {
    let (_, atom) = try await atom(["a": #"{:text "a" :steps []}"#])
    #expect(throws: SyncError.self) { try atom.reset(to: ["": Todo(text: "no id"), "b": Todo(text: "b")]) }
    #expect(throws: SyncError.self) { try atom.swap { $0 = ["": Todo(text: "no id")] } }
    #expect(atom.value.ids == ["a"])
  }

  /// It reads as `nil`, and a program that writes back what it has read must not delete it.
  @Test func whatCannotBeDecodedIsNotDeletedUnawares() async throws {
    let (_, atom) = try await atom(["odd": #"{:headline "h"}"#])
    func expectRefusal(_ body: @escaping @Sendable (inout Documents<Todo>) throws -> Void) {
      let error = #expect(throws: SyncError.self) { try atom.swap(body) }
      #expect(error?.message.contains("odd") == true)
    }
    @Sendable func touch(_ todo: inout Todo?) { todo?.text = "x" }
    expectRefusal { $0["odd"] = $0["odd"].map { $0 } }
    expectRefusal { $0["odd"] = nil }
    expectRefusal { if $0["odd"] == nil { $0["odd"] = Todo(text: "made") } }
    expectRefusal { $0 = ["odd": Todo(text: "made")] }
    try atom.swap {
      touch(&$0["odd"])
      $0["odd"]?.text = "x"
      $0["missing"]?.text = "x"
    }
    #expect(throws: DecodingError.self) { try atom.document("odd").swap { $0?.text = "x" } }
    #expect(try atom.compareAndSet("odd", expecting: nil, to: nil) == nil)
    #expect(try atom.value.transit("odd") == edn(#"{:headline "h"}"#))
    try atom.document("odd").reset(to: Todo(text: "mine"))
    #expect(atom.value["odd"]?.text == "mine")
    try atom.document("odd").reset(to: nil)
    #expect(atom.value.isEmpty)
  }

  /// Of a group with several types, one type's documents are put in the place of their own kind alone.
  @Test func aResetOfOneTypeLeavesTheOthers() async throws {
    let (_, todos) = try await atom(["todo:1": #"{:text "a" :steps []}"#])
    let notes = todos.documents(of: Note.self, prefix: "note:")
    try notes.swap { $0["note:1"] = Note(body: "1") }
    let before = notes.value
    try todos.swap { $0["todo:2"] = Todo(text: "b") }
    try notes.swap { $0 = [:] }
    #expect(Set(todos.value.ids) == ["todo:1", "todo:2"])
    try notes.swap { $0 = before }
    #expect(Set(todos.value.ids) == ["todo:1", "todo:2", "note:1"])
    #expect(throws: SyncError.self) { try notes.reset(to: ["todo:1": Note(body: "no")]) }
    #expect(todos.value["todo:1"]?.text == "a")
  }

  /// A view that waits for its first value gets one, whatever changes before it looks.
  @Test func theFirstValueIsNotFilteredOut() async throws {
    let (_, todos) = try await atom(["todo:1": #"{:text "a" :steps []}"#])
    let notes = todos.documents(of: Note.self, prefix: "note:")
    var values = notes.values.makeAsyncIterator()
    var one = notes.document("note:1").values.makeAsyncIterator()
    try todos.swap { $0["todo:2"] = Todo(text: "b") }
    #expect(await values.next()?.isEmpty == true)
    #expect(await one.next() == .some(nil))
  }

  /// Copies of an iterator go their own ways.
  @Test func aCopiedIteratorTellsTheSame() async throws {
    let (_, atom) = try await atom(["a": #"{:text "a" :steps []}"#, "b": #"{:text "b" :steps []}"#])
    let value = atom.value
    var iterator = value.makeIterator()
    _ = iterator.next()
    var rest = 0
    for _ in IteratorSequence(iterator) { rest += 1 }
    _ = iterator.next()
    #expect(rest == 1 && iterator.next() == nil && value.map(\.id).count == 2)
  }

  /// A change of an object is seen by nobody, and one that is shared by everybody.
  @Test func objectsAreNoDocuments() async throws {
    let client = try await AtomsyncClient.open(Scene.configuration())
    let error = await #expect(throws: SyncError.self) { try await client.atom("boxes", of: Box.self) }
    #expect(error?.message.contains("Box") == true)
    // Not even in a struct, but there what is written is told from what was read.
    let atom = try await client.atom("boxes", of: Boxed.self)
    try atom.swap { $0["a"] = Boxed(box: Box(text: "old")) }
    _ = atom.value["a"]
    try atom.swap { $0["a"]?.box.text = "new" }
    try atom.swap { documents in
      let boxed = try #require(documents["a"])
      boxed.box.text = "newest"
      documents["a"] = boxed
    }
    #expect(try atom.value.transit("a") == edn(#"{:box {:text "newest"}}"#))
  }

  /// Rows are found by their bytes, and Swift compares text otherwise.
  @Test func anIDOfAnotherSpellingDeletesNothing() async throws {
    let (_, atom) = try await atom(["caf\u{E9}": #"{:text "a" :steps []}"#])
    #expect(throws: SyncError.self) { try atom.swap { $0.remove("cafe\u{301}") } }
    #expect(throws: SyncError.self) { try atom.swap { $0["cafe\u{301}"] = nil } }
    #expect(atom.value.count == 1)
    #expect(throws: SyncError.self) {
      try atom.documents(of: Note.self, prefix: "note:").swap { $0["todo:1"] = nil }
    }
  }

  @Test func aDocumentIsCopiedAsItIsStored() async throws {
    let (_, atom) = try await atom(["a": #"{:text "a" :steps [] :color :red}"#])
    try atom.swap {
      $0.copy("a", to: "b")
      $0.remove("a")
    }
    #expect(try atom.value.transit("b") == edn(#"{:text "a" :steps [] :color :red}"#))
    #expect(atom.value.count == 1)
  }

  /// Reading in a swap costs the same, however much it has assigned before.
  @Test func readingInASwapIsLinear() async throws {
    let client = try await AtomsyncClient.open(Scene.configuration())
    let atom = try await client.atom("notes", of: Note.self)
    func seconds(_ count: Int) throws -> Double {
      let start = ContinuousClock.now
      try atom.swap { documents in
        for number in 0..<count {
          documents["\(number)", default: Note(body: "n")].body += "x"
          if documents.count == 0 { documents.removeAll() }
        }
      }
      return (ContinuousClock.now - start) / .seconds(1)
    }
    let few = try seconds(1000)
    #expect(try seconds(10_000) < few * 40)
  }

  @Test func aDefaultDoesNotWriteOverWhatCannotBeDecoded() async throws {
    let (_, atom) = try await atom(["odd": #"{:headline "h"}"#])
    #expect(atom.value["odd", default: Todo(text: "x")].text == "x")
    let error = #expect(throws: SyncError.self) {
      try atom.swap { $0["odd", default: Todo(text: "x")].text = "y" }
    }
    #expect(error?.code == .invalidDocument && error?.message.contains("odd") == true)
    #expect(try atom.value.transit("odd") == edn(#"{:headline "h"}"#))
    try atom.swap { $0["new", default: Todo(text: "x")].text = "y" }
    #expect(atom.value["new"]?.text == "y")
    #expect(atom.value.undecodable.map(\.id) == ["odd"])
    #expect(atom.value.undecodable.allSatisfy { $0.error is DecodingError })
  }

  @Test func documentsAreDecodedOnce() async throws {
    let client = try await AtomsyncClient.open(Scene.configuration())
    let atom = try await client.atom("numbers", of: Counted.self)
    try atom.swap { for number in 0..<100 { $0["\(number)"] = Counted(number: number) } }
    func decodings<Value>(_ body: () -> Value) -> (Value, Int) {
      let before = Counted.decodings.withLock { $0 }
      let value = body()
      return (value, Counted.decodings.withLock { $0 } - before)
    }
    #expect(decodings { atom.value.map(\.value.number).count } == (100, 100))
    #expect(decodings { atom.value.reduce(0) { $0 + $1.value.number } } == (4950, 0))
    try atom.swap { $0["7"] = Counted(number: 70) }
    #expect(decodings { [atom.value["7"]?.number, atom.value["8"]?.number] } == ([70, 8], 1))
  }

  @Test func typesMerge() async throws {
    let policy = ConflictPolicy.merge(of: Todo.self) { base, local, remote in
      guard var merged = remote, let local else { return remote }
      if local.note != base?.note { merged.note = local.note }
      return merged
    }
    let (scene, atom) = try await atom(["a": #"{:text "a" :steps [] :color :red}"#], policy)
    try await atom.settled()
    atom.pause()
    let receipt = try atom.swap { $0["a"]?.note = "mine" }
    let other = try await scene.other()
    try await other.value { $0.contains("a") }
    let theirs = try edn(#"{:text "theirs" :steps [] :color :blue}"#)
    _ = try await other.swap { $0["a"] = theirs }.confirmed()
    atom.resume()
    _ = try await receipt.confirmed()
    #expect(
      try await scene.server()["a"] == edn(#"{:text "theirs" :note "mine" :steps [] :color :blue}"#))
    let conflict = try #require(atom.conflicts.first)
    let (base, local, remote) = try conflict.values(as: Todo.self)
    #expect(base?.text == "a" && local?.note == "mine" && remote?.text == "theirs")
    #expect(throws: DecodingError.self) { try conflict.values(as: Note.self) }
  }

  @Test func aGroupMayHoldSeveralTypes() async throws {
    let (scene, todos) = try await atom(["todo:1": #"{:text "a" :steps []}"#])
    let notes = todos.documents(of: Note.self, prefix: "note:")
    var changes = notes.changes.makeAsyncIterator()
    var values = notes.values.makeAsyncIterator()
    #expect(await values.next()?.isEmpty == true)
    try todos.swap { $0["todo:2"] = Todo(text: "b") }
    _ = try await notes.swap { $0["note:1"] = Note(body: "n") }.confirmed()
    #expect(await changes.next()?.ids == ["note:1"])
    #expect(await values.next()?.ids == ["note:1"])
    #expect(notes.value["note:1"] == Note(body: "n") && notes.value["todo:1"] == nil)
    #expect(notes.value.count == 1 && notes.value.ids == ["note:1"] && !notes.value.contains("todo:1"))
    #expect(notes.value.undecodable.isEmpty && todos.value.undecodable.map(\.id) == ["note:1"])
    #expect(throws: SyncError.self) { try notes.swap { $0["other"] = Note(body: "n") } }
    // What is no note is not seen, and stays, and so it is the other way about.
    try todos.reset(to: ["todo:1": Todo(text: "a"), "todo:2": Todo(text: "b")])
    #expect(notes.value.ids == ["note:1"])
    try notes.reset(to: ["note:2": Note(body: "m")])
    #expect(Set(todos.value.ids) == ["todo:1", "todo:2", "note:2"])
    try notes.swap { $0.removeAll() }
    try await todos.sync()
    let left = try await scene.server().keys.sorted()
    #expect(left == ["todo:1", "todo:2"])
  }
}
