internal import ArgumentParser
internal import Atomsync
internal import Transit

struct SyncCommand: ReplicaCommand {
  static let configuration = CommandConfiguration(
    commandName: "sync", abstract: "Talks to the server.",
    discussion: "Ends with 1 while something is pending, was rejected, or has lost a conflict.")

  @OptionGroup var replica: ReplicaOptions

  func perform(_ session: Session) async throws -> Int32 {
    guard session.isOnline else { throw ValidationError("sync needs --server, and not --offline.") }
    var code: Int32 = 0
    do { try await session.sync() } catch let error as SyncError {
      Output.note(error.message)
      code = 1
    }
    let lost = session.atom.conflicts.filter { $0.outcome == .serverWon && $0.detectedAt >= session.began }
    for conflict in lost {
      try Output.line(
        "\(conflict.document) had changed on the server, whose value stands (conflict \(conflict.id)):")
      try session.output.printValue(conflict.remote ?? .null)
    }
    for rejection in session.atom.rejections {
      // Quoted: what the server's words contain is not the terminal's to obey.
      let reason = rejection.message.map(\.debugDescription) ?? rejection.reason
      try Output.line(
        "\(rejection.document) was rejected by the server: \(reason). Change it, or discard the edit.")
    }
    if code == 0 { try Output.line(lost.isEmpty ? "in sync" : "in sync, \(lost.count) superseded") }
    return code == 0 && lost.isEmpty ? 0 : 1
  }
}

struct StatusCommand: ReplicaCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Shows how this replica stands.",
    discussion: "Ends with 1 while something is pending, was rejected or is in an open conflict.")

  @OptionGroup var replica: ReplicaOptions

  func perform(_ session: Session) async throws -> Int32 {
    try await session.refresh()
    let status = session.atom.status
    try session.output.printStatus(status)
    return status.isSettled ? 0 : 1
  }
}
