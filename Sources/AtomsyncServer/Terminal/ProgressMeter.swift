internal import AtomsyncCore
internal import AtomsyncOperations
internal import Foundation

/// A line on the terminal that says how far something has come. Nothing, where standard error is no terminal.
final class ProgressMeter: Sendable {
  private let verb: String
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let shown = Lock(ContinuousClock.now)

  private static let interval = Duration.milliseconds(200)

  init(_ verb: String) { self.verb = verb }

  @Sendable func show(_ progress: OperationProgress) {
    guard isTerminal else { return }
    let isDue = shown.withLock { shown in
      guard ContinuousClock.now - shown >= Self.interval else { return false }
      shown = .now
      return true
    }
    if isDue { write("\r\u{1B}[K\(verb) \(progress.rows) rows, \(ByteCount(progress.bytes))") }
  }

  func end() { if isTerminal { write("\r\u{1B}[K") } }

  private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
