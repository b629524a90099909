internal import Foundation

/// How many files and sockets the process may have open.
enum Descriptors {
  /// What is kept for the store, the logs and the event loops.
  static let reserve = 64

  /// Raises the limit as far as the system lets the process, and returns it.
  static func raiseLimit() -> Int {
    var limit = rlimit()
    guard getrlimit(kind, &limit) == 0 else { return 1024 }
    if limit.rlim_cur < limit.rlim_max {
      var higher = limit
      higher.rlim_cur = limit.rlim_max
      if setrlimit(kind, &higher) == 0 { limit = higher }
    }
    return Int(clamping: limit.rlim_cur)
  }

  #if canImport(Darwin)
  private static var kind: Int32 { RLIMIT_NOFILE }
  #else
  private static var kind: __rlimit_resource_t { __rlimit_resource_t(RLIMIT_NOFILE.rawValue) }
  #endif
}
