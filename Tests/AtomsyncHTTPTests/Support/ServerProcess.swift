import AtomsyncCore
import Foundation

/// `atomsync-server` as a process of its own, in an empty folder.
final class ServerProcess: Sendable {
  /// What it said when it started; empty when it did not.
  let greeting: String
  private let process: Process
  private let ended: Ended

  struct Outcome: Sendable {
    let code: Int32
    let output: String
    let errors: String
  }

  /// Runs the program, or another one, to its end.
  static func outcome(
    of arguments: [String], program: URL = program, environment: [String: String] = [:], in folder: URL
  ) async throws -> Outcome {
    let process = make(arguments, environment, folder)
    process.executableURL = program
    // Into files beside the folder: to read a pipe would block a thread of the tests' own.
    let (output, errors) = (folder.appendingPathExtension("out"), folder.appendingPathExtension("err"))
    defer { for file in [output, errors] { try? FileManager.default.removeItem(at: file) } }
    process.standardOutput = try emptyFile(output)
    process.standardError = try emptyFile(errors)
    let ended = Ended(process)
    try process.run()
    let code = await ended.code()
    return Outcome(
      code: code, output: try String(contentsOf: output, encoding: .utf8),
      errors: try String(contentsOf: errors, encoding: .utf8))
  }

  /// Starts the program and waits for its greeting.
  init(_ arguments: [String], environment: [String: String] = [:], in folder: URL) async throws {
    process = Self.make(arguments, environment, folder)
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    ended = Ended(process)
    try process.run()
    let (lines, found) = AsyncStream.makeStream(of: String.self)
    output.fileHandleForReading.readabilityHandler = { handle in
      let data = handle.availableData
      if data.isEmpty { found.finish() } else { found.yield(String(decoding: data, as: UTF8.self)) }
    }
    greeting = await lines.first { _ in true } ?? ""
    output.fileHandleForReading.readabilityHandler = nil
  }

  deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

  var url: String {
    let words = greeting.split(whereSeparator: { $0 == " " || $0 == "," })
    return words.first { $0.hasPrefix("http://") }.map(String.init) ?? ""
  }

  func signal(_ number: Int32) { kill(process.processIdentifier, number) }

  /// Waits for its end.
  func code() async -> Int32 { await ended.code() }

  // MARK: Parts

  private static func make(_ arguments: [String], _ environment: [String: String], _ folder: URL) -> Process {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("ATOMSYNC_") }
      .merging(environment) { $1 }
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    return process
  }

  /// Beside the test bundle, where the package manager puts it.
  static var program: URL {
    URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
      .appendingPathComponent("atomsync-server")
  }

  /// The shell client.
  static var shell: URL { program.deletingLastPathComponent().appendingPathComponent("atomsync") }

  private static func emptyFile(_ url: URL) throws -> FileHandle {
    try Data().write(to: url)
    return try FileHandle(forWritingTo: url)
  }

  /// The exit code, once it is there.
  private final class Ended: Sendable {
    private let state = Lock<(code: Int32?, waiting: [CheckedContinuation<Int32, Never>])>((nil, []))

    init(_ process: Process) {
      process.terminationHandler = { [self] process in
        let waiting = state.withLock { state in
          defer { state = (process.terminationStatus, []) }
          return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: process.terminationStatus) }
      }
    }

    func code() async -> Int32 {
      await withCheckedContinuation { continuation in
        let code: Int32? = state.withLock { state in
          if state.code == nil { state.waiting.append(continuation) }
          return state.code
        }
        if let code { continuation.resume(returning: code) }
      }
    }
  }
}
