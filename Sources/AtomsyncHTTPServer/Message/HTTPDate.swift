internal import AtomsyncCore
internal import Foundation

/// The `Date` of an answer (RFC 9110 §5.6.7), written once a second.
enum HTTPDate {
  private static let written = Lock((second: Int.min, text: ""))

  static var now: String {
    let second = Int(Date().timeIntervalSince1970.rounded(.down))
    return written.withLock { written in
      if written.second != second { written = (second, text(of: second)) }
      return written.text
    }
  }

  /// - Parameter second: since 1970.
  static func text(of second: Int) -> String {
    var (time, parts) = (time_t(second), tm())
    gmtime_r(&time, &parts)
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map(digits).joined(separator: ":")
    return "\(days[Int(parts.tm_wday) % 7]), \(digits(parts.tm_mday)) \(months[Int(parts.tm_mon) % 12]) "
      + "\(parts.tm_year + 1900) \(clock) GMT"
  }

  private static func digits(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
