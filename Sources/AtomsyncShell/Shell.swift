internal import ArgumentParser
internal import Atomsync
internal import AtomsyncCore
internal import AtomsyncHTTPClient
internal import Foundation
internal import Logging
internal import Transit

/// One command on one replica, from its arguments to its exit code: 0 done; 1 done here, but not settled with the
/// server, or not found; 2 it could not be done.
struct Shell {
  private let command: ShellCommand
  private let client: AtomsyncClient
  private let atom: SyncedAtom<TransitValue>
  private let output: Output
  /// When this command began.
  private let began = Date()

  static func run(_ arguments: [String]) async -> Int32 {
    let command: ShellCommand
    do {
      command = try ShellCommand.parse(arguments)
    } catch {
      let isHelp = ShellCommand.exitCode(for: error).isSuccess
      let text = ShellCommand.fullMessage(for: error) + "\n"
      (isHelp ? FileHandle.standardOutput : .standardError).write(Data(text.utf8))
      return isHelp ? 0 : 2
    }
    do {
      let shell = try await Shell(command)
      let code: Int32
      do { code = try await shell.perform() } catch {
        try? await shell.client.close()  // the first error is the one to tell
        throw error
      }
      try await shell.client.close()
      return code
    } catch {
      Output.note("\(error)")
      return 2
    }
  }

  private init(_ command: ShellCommand) async throws {
    self.command = command
    output = Output(format: command.format)
    var logger = Logger(label: "atomsync", factory: { StreamLogHandler.standardError(label: $0) })
    logger.logLevel = .critical
    let location = try StoreLocation(command)
    var options = HTTPTransportOptions()
    options.trustedCertificates = command.trust
    let configuration = AtomsyncConfiguration(storage: location.provider, logger: logger)
    client = try await location.open(configuration, wait: .seconds(command.wait))
    do {
      atom = try await client.atom(
        command.group,
        transport: command.server.flatMap {
          command.offline ? nil : .http($0, token: command.token, options: options)
        })
    } catch {
      try? await client.close()  // nothing was changed yet
      throw error
    }
  }

  private func perform() async throws -> Int32 {
    switch command.action {
    case .put: return try await put(command.operands[0], try TransitValue(edn: command.operands[1]))
    case .delete: return try await put(command.operands[0], nil)
    case .get: return try await get(command.operands.first)
    case .watch: return try await watch()
    case .sync: return try await sync()
    case .status: return try await status()
    case .conflicts:
      for conflict in atom.conflicts { try output.printConflict(conflict) }
      return 0
    case .recover: return try await recover(command.operands[0])
    case .rejected:
      for rejection in atom.rejections { try output.printRejection(rejection) }
      return 0
    case .retry: return try await retry(command.operands[0])
    case .discard:
      atom.discardRejection(command.operands[0])
      return 0
    }
  }

  private func put(_ id: String, _ value: TransitValue?) async throws -> Int32 {
    try await report(try atom.swap { $0[id] = value })
  }

  /// Says when a change is durable, and what the server says to it within the wait.
  private func report(_ receipt: Receipt) async throws -> Int32 {
    try await receipt.saved()
    guard isOnline else {
      Output.line("saved, \(pending)")
      return 0
    }
    do {
      let confirmation = try await receipt.confirmed(timeout: .seconds(command.wait))
      for (id, verdict) in confirmation.verdicts.sorted(by: { $0.key < $1.key }) {
        switch verdict {
        case .accepted, .discarded: continue
        case .rejected(let reason): Output.line("saved, but the server has rejected \(id): \(reason)")
        case .superseded(let number):
          Output.line("saved, but \(id) had changed on the server, whose value stands (conflict \(number)):")
          try output.printValue(atom.value.transit(id) ?? .null)
        }
        return 1
      }
      Output.line("saved, confirmed")
    } catch let error as SyncError where error.code == .timedOut || error.code == .stopped {
      Output.line("saved, \(pending)")
      if let reason = atom.status.lastError { Output.note(reason) }
    }
    return 0
  }

  private func get(_ id: String?) async throws -> Int32 {
    try await refresh()
    guard let id else {
      try output.printAll(atom.value)
      return 0
    }
    guard let value = atom.value.transit(id) else {
      Output.note("There is no document \(id).")
      return 1
    }
    try output.printValue(value)
    return 0
  }

  private func watch() async throws -> Int32 {
    let changes = atom.changes
    let interrupt = Interrupt { Task { [client] in try? await client.close() } }
    for await change in changes { try output.printChange(change) }
    interrupt.cancel()
    return 0
  }

  private func sync() async throws -> Int32 {
    var code: Int32 = 0
    do { try await syncPatiently() } catch let error as SyncError {
      Output.note(error.message)
      code = 1
    }
    let reports = atom.conflicts.filter { $0.outcome == .serverWon && $0.detectedAt >= began }
    for conflict in reports {
      Output.line(
        "\(conflict.document) had changed on the server, whose value stands (conflict \(conflict.id)):")
      try output.printValue(conflict.remote ?? .null)
    }
    for rejection in atom.rejections {
      // Quoted: what the server's words contain is not the terminal's to obey.
      let reason = rejection.message.map(\.debugDescription) ?? rejection.reason
      Output.line(
        "\(rejection.document) was rejected by the server: \(reason). Change it, or discard the edit.")
    }
    if code == 0 { Output.line(reports.isEmpty ? "in sync" : "in sync, \(reports.count) superseded") }
    return code == 0 && reports.isEmpty ? 0 : 1
  }

  /// Goes on after requests that took too long, as long as there is time: each makes the next one smaller.
  private func syncPatiently() async throws {
    let end = ContinuousClock.now + .seconds(max(command.wait, 1))
    while true {
      do {
        return try await atom.sync(timeout: max(end - .now, .zero))
      } catch let error as SyncError where error.transport?.code == .timedOut && .now < end {}
    }
  }

  private func status() async throws -> Int32 {
    try await refresh()
    try output.printStatus(atom.status)
    return atom.status.isSettled ? 0 : 1
  }

  private func recover(_ text: String) async throws -> Int32 {
    guard let number = Int64(text), let conflict = atom.conflicts.first(where: { $0.id == number }) else {
      Output.note("There is no conflict \(text); `conflicts` shows those that there are.")
      return 2
    }
    return try await report(try atom.recover(conflict))
  }

  private func retry(_ id: String) async throws -> Int32 {
    guard let receipt = try atom.retryRejection(id) else {
      Output.note("No edit of \(id) was rejected; `rejected` shows those that were.")
      return 2
    }
    return try await report(receipt)
  }

  // MARK: Parts

  private var isOnline: Bool { command.server != nil && !command.offline }

  private var pending: String { "\(atom.status.pendingCount) pending" }

  /// Hears of the server's changes, if it can be reached within the wait.
  private func refresh() async throws {
    guard isOnline else { return }
    do { try await atom.sync(timeout: .seconds(command.wait)) } catch let error as SyncError {
      Output.note("showing what is here: \(error.message)")
    }
  }
}
