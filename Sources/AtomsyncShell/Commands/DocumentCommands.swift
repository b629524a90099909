internal import ArgumentParser
internal import Atomsync
internal import Transit

struct PutCommand: ReplicaCommand {
  static let configuration = CommandConfiguration(
    commandName: "put", abstract: "Writes a document.",
    discussion: """
      It is durable here before the command returns. Put -- before a value that begins with a dash.

        atomsync put todo:1 '{:text "Buy milk" :done false}'
      """)

  @OptionGroup var replica: ReplicaOptions
  @Argument(help: "The document's id.") var id: String
  @Argument(help: "Its value, as EDN.") var edn: String

  func perform(_ session: Session) async throws -> Int32 {
    let value = try TransitValue(edn: edn)
    return try await session.report(try session.atom.swap { $0[id] = value })
  }
}

struct DeleteCommand: ReplicaCommand {
  static let configuration = CommandConfiguration(commandName: "delete", abstract: "Deletes a document.")

  @OptionGroup var replica: ReplicaOptions
  @Argument(help: "The document's id.") var id: String

  func perform(_ session: Session) async throws -> Int32 {
    try await session.report(try session.atom.swap { $0.remove(id) })
  }
}

struct GetCommand: ReplicaCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Shows one document, or all.",
    discussion: "Asks the server first, if it can be reached within the wait.")

  @OptionGroup var replica: ReplicaOptions
  @Argument(help: "The document's id.") var id: String?

  func perform(_ session: Session) async throws -> Int32 {
    try await session.refresh()
    let documents = session.atom.value
    guard let id else {
      try session.output.printAll(documents)
      session.noteUnopened()
      return 0
    }
    guard documents.contains(id) else {
      Output.note("There is no document \(id).")
      return 1
    }
    do { try session.output.printValue(try documents.decoded(id) ?? .null) } catch {
      Output.note("\(id) cannot be opened. \(error)")
      return 1
    }
    return 0
  }
}

struct WatchCommand: ReplicaCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Shows each change as it comes, until interrupted.")

  @OptionGroup var replica: ReplicaOptions

  func perform(_ session: Session) async throws -> Int32 {
    let changes = session.atom.changes
    let interrupt = Interrupt { Task { try? await session.close() } }
    for await change in changes { try session.output.printChange(change) }
    interrupt.cancel()
    return 0
  }
}
