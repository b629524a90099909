internal import AtomsyncCore
internal import Logging

/// Tells whoever runs the server what keeps its store from answering; clients are told only that something does. Once in a while,
/// since every request may meet it.
final class StoreTrouble: Sendable {
  private let last = Lock<(code: StorageError.Code, at: MonotonicTime)?>(nil)

  private static let pause = Duration.seconds(10)

  /// Errors that are told as the server's own are logged with their requests.
  func look(at error: any Error, _ log: @autoclosure () -> Logger) {
    guard let error = error as? StorageError, ProtocolError(telling: error).code == .unavailable else {
      return
    }
    let now = MonotonicTime.now
    let isNews = last.withLock { last in
      if let known = last, known.code == error.code, now - known.at < Self.pause { return false }
      last = (error.code, now)
      return true
    }
    if isNews { log().warning("The store did not answer.", metadata: ["error": "\(error)"]) }
  }
}
