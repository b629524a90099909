import AtomsyncKit
import Foundation
import Observation

// What the articles show on using atoms: `DocumentationTests` compares them with this file.

private enum Overview {
  struct Note: Codable, Sendable, Equatable {
    var title: String
    var text: String
  }

  static func code() async throws {
    let client = try await AtomsyncClient.open(AtomsyncConfiguration(storage: .sqlite("notes.db")))
    let notes = try await client.atom("notes", of: Note.self, transport: .http("http://localhost:8090/sync"))

    let receipt = try notes.swap { $0["note:1"] = Note(title: "Milk", text: "Two bottles") }
    try await receipt.saved()  // durable here
    print(try await receipt.confirmed().isAccepted)  // the server's verdict

    for await change in notes.changes { print(change.ids) }
  }
}

private enum GettingStarted {
  struct Note: Codable, Sendable, Equatable {
    var title: String
    var text: String
    var due: Date?
  }

  static func opening() async throws -> (AtomsyncClient, SyncedAtom<Note>) {
    let atomsync = try await AtomsyncClient.open("my-notes")
    let notes = try await atomsync.atom("notes", of: Note.self, server: "http://localhost:8090/sync")
    try await notes.ready()
    return (atomsync, notes)
  }

  static func changing(_ notes: SyncedAtom<Note>) async throws {
    try notes.swap { $0["note:1"] = Note(title: "Milk", text: "Two bottles") }
    try notes.swap { $0["note:1"]?.text = "Three bottles" }
    try notes.swap { $0.remove("note:2") }

    let all = notes.value  // a snapshot, which stays as it is
    for (id, note) in all.sorted(by: \.title) { print(id, note.text) }

    let receipt = try notes.swap { $0["note:3"] = Note(title: "Bread", text: "") }
    try await receipt.saved()
    let confirmation = try await receipt.confirmed(timeout: .seconds(10))
    for (id, verdict) in confirmation.verdicts { print(id, verdict) }
  }

  static func watching(_ notes: SyncedAtom<Note>) async {
    let watching = notes.watch { change in
      for id in change.ids { print(id, change.new[id] as Any) }
    }
    for await value in notes.values { print("\(value.count) notes") }
    watching.cancel()
  }

  @MainActor static func observing(_ notes: SyncedAtom<Note>) {
    let model = ObservableAtom(notes)
    withObservationTracking {
      print(model["note:1"]?.title ?? "no such note")
    } onChange: {
      print("note:1 has changed")
    }
  }

  static func closing(_ atomsync: AtomsyncClient) async throws {
    try await atomsync.close()
  }
}

private enum HowSyncWorks {
  struct Note: Codable, Sendable {
    var title: String
    var text: String
  }

  static func groups(_ client: AtomsyncClient) async throws {
    let everything = try await client.atom("team")
    let notes = everything.documents(of: Note.self, prefix: "note:")
    try notes.swap { $0["note:1"] = Note(title: "Milk", text: "") }

    try notes.swap(atomic: true) { documents in
      documents["note:1"] = Note(title: "Total", text: "2")
      documents["note:2"] = Note(title: "Part", text: "2")
    }
  }
}

private enum Conflicts {
  struct Note: Codable, Sendable {
    var title: String
    var text: String
  }

  static func merging(_ client: AtomsyncClient, _ transport: TransportProvider) async throws {
    let merging = ConflictPolicy.merge(of: Note.self) { base, local, remote in
      guard let local, var merged = remote else { return local ?? remote }  // a change wins over a deletion
      if local.title != base?.title { merged.title = local.title }
      if local.text != base?.text { merged.text = local.text }
      return merged
    }
    let notes = try await client.atom("notes", of: Note.self, transport: transport, conflicts: merging)

    for conflict in notes.conflicts {
      let (base, local, remote) = try conflict.values(as: Note.self)
      print(conflict.document, base as Any, local as Any, remote as Any)
      try notes.recover(conflict)  // writes again what lost
    }
    for await conflicts in notes.conflictUpdates { print("\(conflicts.count) conflicts") }

    for rejection in notes.rejections {
      print(rejection.document, rejection.reason, rejection.message ?? "")
      notes.discardRejection(rejection.document)
    }
  }

  static func rebasing(_ client: AtomsyncClient, _ transport: TransportProvider) async throws {
    let counters = try await client.atom("counters", of: Int.self, transport: transport, conflicts: .rebase())
    try counters.swap { $0["visits", default: 0] += 1 }
  }
}

private enum ChangingTypes {
  struct Note: Codable, Sendable {
    var title: String
  }

  static func fields(_ notes: SyncedAtom<Note>) throws {
    // Written by a newer version: {"title": "Milk", "color": "red"}
    try notes.swap { $0["note:1"]?.title = "Bread" }
    // Now: {"title": "Bread", "color": "red"}

    for (id, error) in notes.value.undecodable { print(id, error) }
    try notes.swap { $0.remove("note:9") }  // the one way to delete it
  }

  struct Task: Codable, Sendable {
    var title: String
    var priority: Int?
  }

  struct Event: Codable, Sendable {
    var start: Date

    enum CodingKeys: String, CodingKey {
      case start
      case begin  // until version 2
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      if let date = try container.decodeIfPresent(Date.self, forKey: .start) {
        start = date
      } else {
        start = try container.decode(Date.self, forKey: .begin)
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(start, forKey: .start)
    }
  }
}
