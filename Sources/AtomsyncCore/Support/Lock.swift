#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A value behind a lock: the one way in which Atomsync shares mutable state between threads.
///
/// A pthread mutex rather than `Synchronization.Mutex`, because the thread sanitizer understands it: the futex
/// under the latter is not instrumented, and correct code is then reported as racing. And rather than NIO's locked box,
/// because the core depends on nothing but Transit.
package final class Lock<Value>: @unchecked Sendable {
  // Unchecked, because the compiler cannot see the mutex. Sound, because every access to `value` happens while `mutex` is
  // held, which is allocated once and never moves; and the compiler lets nothing in or out that somebody else could reach
  // (`sending`, as the standard one has it).
  private var value: Value
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>

  package init(_ value: consuming sending Value) {
    self.value = value
    self.mutex = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  /// Runs `body` with exclusive access. Not recursive; never call code of the user's in it.
  package func withLock<Result, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&value)
  }
}
