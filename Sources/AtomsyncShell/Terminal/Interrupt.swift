internal import Dispatch
internal import Foundation

/// Runs an action once on SIGINT or SIGTERM, instead of dying.
struct Interrupt {
  private let sources: [any DispatchSourceSignal]

  init(_ action: @escaping @Sendable () -> Void) {
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number)
      source.setEventHandler(handler: action)
      source.resume()
      return source
    }
  }

  func cancel() { for source in sources { source.cancel() } }
}
