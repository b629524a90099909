import Foundation

/// This program, started again for one part of a measurement.
final class Child {
  private let process = Process()
  private let output = Pipe()
  private let input = Pipe()

  init(_ arguments: [String]) throws {
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = arguments
    process.standardOutput = output
    process.standardInput = input
    try process.run()
  }

  var processID: Int32 { process.processIdentifier }

  /// The first line that it prints.
  func line() throws -> String {
    var bytes: [UInt8] = []
    while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") {
      bytes.append(byte)
    }
    guard !bytes.isEmpty else { throw ChildError() }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Closes its input, which tells it to end, and waits for that.
  func end() throws {
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
  }
}

struct ChildError: Error, CustomStringConvertible {
  var description: String { "A part of the benchmark ended before it said anything." }
}
