internal import Foundation

exit(await Stress.run(Array(CommandLine.arguments.dropFirst())))
