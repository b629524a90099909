internal import Foundation

/// A number of bytes for people: `4.2 MiB`.
struct ByteCount: CustomStringConvertible {
  let bytes: Int64

  init(_ bytes: Int64) { self.bytes = bytes }

  var description: String {
    var (amount, unit) = (Double(bytes), 0)
    while amount >= 1024, unit < Self.units.count - 1 { (amount, unit) = (amount / 1024, unit + 1) }
    return unit == 0 ? "\(bytes) bytes" : String(format: "%.1f \(Self.units[unit])", amount)
  }

  private static let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
}
