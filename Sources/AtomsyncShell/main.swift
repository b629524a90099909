internal import Foundation

exit(await Shell.run(Array(CommandLine.arguments.dropFirst()), ProcessInfo.processInfo.environment))
