internal import ArgumentParser
internal import Foundation

/// The program, from its arguments to its exit code.
enum Shell {
  static func run(_ arguments: [String], _ environment: [String: String]) async -> Int32 {
    do {
      let command = try AtomsyncCommand.parse(arguments: arguments)
      guard let command = command as? any ReplicaCommand else {
        var other = command
        try other.run()  // asks for help, and throws it
        return 0
      }
      return try await perform(command, try ReplicaSettings(command.replica, environment))
    } catch {
      return tell(error)
    }
  }

  private static func perform(_ command: any ReplicaCommand, _ settings: ReplicaSettings) async throws
    -> Int32
  {
    let session = try await Session(settings)
    let code: Int32
    do { code = try await command.perform(session) } catch {
      try? await session.close()  // the first error is the one to tell
      throw error
    }
    try await session.close()
    return code
  }

  private static func tell(_ error: any Error) -> Int32 {
    if AtomsyncCommand.exitCode(for: error).isSuccess {
      do {
        try Output.line(AtomsyncCommand.fullMessage(for: error))
        return 0
      } catch {
        return tell(error)
      }
    }
    if let error = error as? OutputError, error.isBrokenPipe { return 2 }
    let message = AtomsyncCommand.message(for: error)
    Output.note(message.split(whereSeparator: \.isNewline).joined(separator: " "))
    return 2
  }
}
