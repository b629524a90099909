internal import Foundation

// Repaired, two texts that differ would be one.
for index in 0..<Int(CommandLine.argc) {
  guard let argument = CommandLine.unsafeArgv[index], String(validatingCString: argument) == nil else {
    continue
  }
  Output.note("Argument \(index) is not UTF-8. Nothing was done.")
  exit(2)
}
exit(await Shell.run(Array(CommandLine.arguments.dropFirst()), ProcessInfo.processInfo.environment))
