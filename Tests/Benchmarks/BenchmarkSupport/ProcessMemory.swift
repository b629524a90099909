import Foundation

/// A process's memory, as Linux tells of it.
package enum ProcessMemory {
  package enum Kind: String, Sendable {
    case resident = "VmRSS:"
    /// The most that it had resident.
    case peak = "VmHWM:"
  }

  /// In kB; 0 where there is no such process, or no Linux.
  ///
  /// - Parameter process: its number; `nil` for this one.
  package static func kilobytes(_ kind: Kind, of process: Int32? = nil) -> Int {
    let path = "/proc/\(process.map { "\($0)" } ?? "self")/status"
    let status = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix(kind.rawValue) }
    return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
  }
}
