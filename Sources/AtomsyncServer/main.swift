internal import Foundation

exit(
  await ServerProgram.run(
    arguments: Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment))
