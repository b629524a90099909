package import Foundation

extension Date {
  /// - Parameter milliseconds: since 1970, as rows and messages have it.
  package init(milliseconds: Int64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }

  /// Milliseconds since 1970, rounded to the nearest; the limits of the type stand for what is beyond them.
  package var milliseconds: Int64 {
    Int64(exactly: (timeIntervalSince1970 * 1000).rounded()) ?? (timeIntervalSince1970 < 0 ? .min : .max)
  }
}
