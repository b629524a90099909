internal import ArgumentParser
internal import Atomsync
internal import AtomsyncCore
internal import AtomsyncHTTPClient
internal import AtomsyncLMDB
internal import AtomsyncSQLite
internal import Foundation
internal import Logging
internal import Transit

/// The program, from its arguments to its exit code: 0 done; 1 an acknowledged write is lost, or does not settle;
/// 2 it could not start.
enum Stress {
  static func run(_ arguments: [String]) async -> Int32 {
    do {
      let command = try StressCommand.parse(arguments)
      let client = try await AtomsyncClient.open(configuration(command))
      let atom = try await client.atom(
        command.group, of: String.self,
        transport: .http(command.server, options: options(command)), conflicts: policy(command))
      let journal = try Journal(command.journal, isDurable: command.fsync)
      let isGood =
        switch command.mode {
        case .write: try await Writer(command, atom, journal).run()
        case .drain: try await Drain(command, atom).run()
        }
      try await client.close()
      return isGood ? 0 : 1
    } catch {
      let isHelp = StressCommand.exitCode(for: error).isSuccess
      let text = Data("\(StressCommand.fullMessage(for: error))\n".utf8)
      (isHelp ? FileHandle.standardOutput : .standardError).write(text)
      return isHelp ? 0 : 2
    }
  }

  private static func configuration(_ command: StressCommand) -> AtomsyncConfiguration {
    var logger = Logger(label: "stress", factory: { StreamLogHandler.standardError(label: $0) })
    logger.logLevel = .critical
    var configuration = AtomsyncConfiguration(
      storage: command.storage == .sqlite ? .sqlite(command.store) : .lmdb(command.store), logger: logger)
    // A round of a test is shorter than the pauses that suit the world.
    configuration.retry.initialDelay = .milliseconds(10)
    configuration.retry.maximumDelay = .milliseconds(200)
    configuration.retry.requestTimeout = .seconds(command.patience)
    return configuration
  }

  private static func options(_ command: StressCommand) -> HTTPTransportOptions {
    var options = HTTPTransportOptions()
    options.connectTimeout = .seconds(min(command.patience, 10))
    options.heartbeat = min(.seconds(command.patience), options.heartbeat)
    return options
  }

  private static func policy(_ command: StressCommand) -> ConflictPolicy {
    switch command.policy {
    case .server: .serverWins
    case .local: .localWins
    case .merge:
      .merge { input in
        guard case .string(let local) = input.local, case .string(let remote) = input.remote else {
          return input.local ?? input.remote
        }
        return .string(max(local, remote))
      }
    }
  }
}
