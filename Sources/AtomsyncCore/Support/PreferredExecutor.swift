/// Where the current task prefers to run.
package enum PreferredExecutor {
  /// `nil` where it has no preference, or the system does not tell.
  package static var current: (any TaskExecutor)? {
    guard #available(macOS 26.4, iOS 26.4, watchOS 26.4, tvOS 26.4, visionOS 26.4, *) else { return nil }
    return withUnsafeCurrentTask { $0?.unownedTaskExecutor?.asTaskExecutor() }
  }
}
