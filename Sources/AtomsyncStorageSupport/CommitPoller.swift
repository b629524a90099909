public import AtomsyncCore

/// Turns a number that changes with other people's commits into a stream.
public enum CommitPoller {
  /// How often it is looked. Neither SQLite nor LMDB wakes other processes, and a watch on their files would be another
  /// mechanism on each system, which tells of writes before they are commits. A look takes some microseconds. The sleep
  /// between two orders nothing: a look that comes late tells of the same commits.
  private static let interval: Duration = .milliseconds(100)

  /// Yields once at first and then whenever `number` changes; ends when it says that the storage is closed.
  /// Other errors are taken for passing ones: the next look decides.
  public static func signals(
    _ number: @escaping @Sendable () async throws -> Int64
  ) -> AsyncStream<ForeignCommit> {
    AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
      let task = Task {
        var last: Int64?
        while !Task.isCancelled {
          do {
            let now = try await number()
            if now != last { continuation.yield(ForeignCommit()) }
            last = now
          } catch let error as StorageError where error.code == .closed {
            break
          } catch {}
          do { try await Task.sleep(for: interval) } catch { break }
        }
        continuation.finish()
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }
}
