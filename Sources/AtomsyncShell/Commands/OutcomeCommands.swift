internal import ArgumentParser
internal import Atomsync

struct ConflictsCommand: ReplicaCommand {
  static let configuration = CommandConfiguration(
    commandName: "conflicts", abstract: "Shows what lost a conflict, each with its number.")

  @OptionGroup var replica: ReplicaOptions

  func perform(_ session: Session) async throws -> Int32 {
    for conflict in session.atom.conflicts { try session.output.printConflict(conflict) }
    return 0
  }
}

struct RecoverCommand: ReplicaCommand {
  static let configuration = CommandConfiguration(
    commandName: "recover", abstract: "Writes again what lost a conflict.")

  @OptionGroup var replica: ReplicaOptions
  @Argument(help: "The conflict's number.") var number: Int64

  func perform(_ session: Session) async throws -> Int32 {
    guard let conflict = session.atom.conflicts.first(where: { $0.id == number }) else {
      Output.note("There is no conflict \(number); `conflicts` shows those that there are.")
      return 2
    }
    return try await session.report(try session.atom.recover(conflict))
  }
}

struct RejectedCommand: ReplicaCommand {
  static let configuration = CommandConfiguration(
    commandName: "rejected", abstract: "Shows the edits that the server can never take, and why.")

  @OptionGroup var replica: ReplicaOptions

  func perform(_ session: Session) async throws -> Int32 {
    for rejection in session.atom.rejections { try session.output.printRejection(rejection) }
    return 0
  }
}

struct RetryCommand: ReplicaCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry", abstract: "Makes a rejected edit again.")

  @OptionGroup var replica: ReplicaOptions
  @Argument(help: "The document's id.") var id: String

  func perform(_ session: Session) async throws -> Int32 {
    guard let receipt = try session.atom.retryRejection(id) else {
      Output.note("No edit of \(id) was rejected; `rejected` shows those that were.")
      return 2
    }
    return try await session.report(receipt)
  }
}

struct DiscardCommand: ReplicaCommand {
  static let configuration = CommandConfiguration(
    commandName: "discard", abstract: "Forgets a rejected edit.")

  @OptionGroup var replica: ReplicaOptions
  @Argument(help: "The document's id.") var id: String

  func perform(_ session: Session) async throws -> Int32 {
    guard session.atom.rejections.contains(where: { $0.document == id }) else {
      Output.note("No edit of \(id) was rejected; `rejected` shows those that were.")
      return 2
    }
    session.atom.discardRejection(id)
    try Output.line("discarded")
    return 0
  }
}
