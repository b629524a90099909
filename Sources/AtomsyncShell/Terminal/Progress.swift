internal import Atomsync
internal import Foundation
internal import Transit

/// How many documents have come, on a terminal, while a first sync runs.
struct Progress {
  private let task: Task<Void, Never>?

  init(_ atom: SyncedAtom<TransitValue>) {
    guard Terminal.isError, !atom.status.hasSynced else {
      task = nil
      return
    }
    task = Task {
      // The pauses are what a person can read.
      while (try? await ContinuousClock().sleep(for: .milliseconds(300))) != nil {
        Terminal.status("\(atom.value.count) documents…")
      }
    }
  }

  /// Clears the line.
  func end() async {
    guard let task else { return }
    task.cancel()
    await task.value
    Terminal.status("")
  }
}

/// What the program writes to.
enum Terminal {
  /// Whether standard error is a terminal.
  static let isError = isatty(STDERR_FILENO) == 1
  /// Whether values are shown in colours: on a terminal, unless NO_COLOR is set (https://no-color.org).
  static let hasColors =
    isatty(STDOUT_FILENO) == 1 && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty

  /// Replaces the last line of a terminal.
  static func status(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data("\r\u{1B}[K\(text)".utf8))
  }
}
