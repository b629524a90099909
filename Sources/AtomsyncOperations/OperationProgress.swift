/// How far an operation has come.
public struct OperationProgress: Sendable, Hashable {
  /// Rows that were read and written.
  public var rows: Int64 = 0
  /// The bytes of their keys and values.
  public var bytes: Int64 = 0

  mutating func add(key: [UInt8], value: [UInt8]) {
    rows += 1
    bytes += Int64(key.count + value.count)
  }
}

/// Told how far an operation has come, after each page of rows.
public typealias ReportProgress = @Sendable (OperationProgress) -> Void
