internal import Foundation

/// How many files and sockets the process may have open.
package enum Descriptors {
  /// What is kept for the store, the logs and the event loops.
  private static let reserve = 64

  /// How many connections there can be at once.
  static var connections: Int {
    var limit = rlimit()
    guard getrlimit(kind, &limit) == 0 else { return 1024 }
    return max(Int(clamping: limit.rlim_cur) - reserve, 1)
  }

  /// Raises the limit as far as the system lets the process. For a program of its own: a library leaves its process as it
  /// is.
  package static func raiseLimit() {
    var limit = rlimit()
    guard getrlimit(kind, &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(kind, &limit)
  }

  #if canImport(Darwin)
  private static var kind: Int32 { RLIMIT_NOFILE }
  #else
  private static var kind: __rlimit_resource_t { __rlimit_resource_t(RLIMIT_NOFILE.rawValue) }
  #endif
}
