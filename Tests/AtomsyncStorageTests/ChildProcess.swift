import AtomsyncCore
import AtomsyncLMDB
import AtomsyncSQLite
import AtomsyncStorageSupport
import Foundation

/// Another process on the same store: the test program itself, started again to play one role.
///
/// It speaks in lines on its standard output, among which the test library's own are skipped.
final class ChildProcess: @unchecked Sendable {
  // Unchecked, because Foundation's process is not sendable. Sound, because once `init` has started it, it, its pipe and
  // the buffer are only used in closures on the serial `queue`, which also keeps blocking reads off the tests' threads.
  private let process = Process()
  private let pipe = Pipe()
  private let queue = BlockingQueue("child")
  private var buffer = Data()

  static let variable = "ATOMSYNC_STORAGE_TEST_ROLE"

  /// Starts the role, which runs ``ChildRoleTests``.
  init(_ role: ChildRole) throws {
    process.executableURL = URL(filePath: CommandLine.arguments[0])
    process.arguments = ["--testing-library", "swift-testing", "--filter", "ChildRoleTests"]
    process.environment = ProcessInfo.processInfo.environment
      .merging([Self.variable: role.description]) { $1 }
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
  }

  /// The numbers that the child has reported: at least `count` of them, or all until its end.
  func reports(_ count: Int = .max) async throws -> [Int] {
    try await queue.run { [self] in
      var numbers: [Int] = []
      while numbers.count < count {
        while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
          let words = String(decoding: buffer[buffer.startIndex..<end], as: UTF8.self).split(separator: " ")
          buffer = Data(buffer[(end + 1)...])
          if words.count == 2, words[0] == "report", let number = Int(words[1]) { numbers.append(number) }
        }
        let more = numbers.count < count ? pipe.fileHandleForReading.availableData : Data()
        if more.isEmpty { break }
        buffer.append(more)
      }
      return numbers
    }
  }

  /// Ends the child as nothing can be more sudden, and answers what it had still reported.
  func kill() async throws -> [Int] {
    try await queue.run { [self] in _ = Foundation.kill(process.processIdentifier, SIGKILL) }
    let rest = try await reports()
    try await queue.run { [self] in process.waitUntilExit() }
    return rest
  }

  /// Stops the child where it is, or lets it go on.
  func stop() async throws { try await signal(SIGSTOP) }
  func resume() async throws { try await signal(SIGCONT) }

  private func signal(_ number: Int32) async throws {
    try await queue.run { [self] in _ = Foundation.kill(process.processIdentifier, number) }
  }

  /// Waits for the end; whether it went well.
  func finish() async throws -> Bool {
    _ = try await reports()
    return try await queue.run { [self] in
      process.waitUntilExit()
      return process.terminationStatus == 0
    }
  }

  /// From the child: one line to the parent, in one piece.
  static func report(_ number: Int) throws {
    try FileHandle.standardOutput.write(contentsOf: Data("\nreport \(number)\n".utf8))
  }
}

/// What a child does, in a form that fits into an environment variable.
struct ChildRole: LosslessStringConvertible, Sendable {
  enum Task: String, Sendable { case write, count }
  enum Kind: String, Sendable, CaseIterable { case sqlite, lmdb }
  let task: Task
  let kind: Kind
  let path: String

  init(_ task: Task, _ kind: Kind, _ path: String) {
    self.task = task
    self.kind = kind
    self.path = path
  }

  init?(_ description: String) {
    let words = description.split(separator: " ", maxSplits: 2).map(String.init)
    guard words.count == 3, let task = Task(rawValue: words[0]), let kind = Kind(rawValue: words[1]) else {
      return nil
    }
    self.init(task, kind, words[2])
  }

  var description: String { "\(task) \(kind) \(path)" }

  /// The role of this process, if it is a child.
  static let own = ProcessInfo.processInfo.environment[ChildProcess.variable].flatMap(ChildRole.init)

  var provider: StorageProvider { kind == .sqlite ? .sqlite(path) : .lmdb(path) }
}
