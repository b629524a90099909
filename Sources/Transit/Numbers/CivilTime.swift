/// Text of moments, as `2014-04-07T22:17:17.000Z`, in the proleptic Gregorian calendar.
enum CivilTime {
  /// RFC 3339 in UTC with milliseconds; nil outside the years 0 to 9999, which four digits cannot say.
  static func text(milliseconds: Int64) -> String? {
    // 0000-01-01 and 10000-01-01.
    guard milliseconds >= -62_167_219_200_000, milliseconds < 253_402_300_800_000 else { return nil }
    return String(unsafeUninitializedCapacity: 24) { write(milliseconds, to: $0.baseAddress) }
  }

  /// Writes the 24 bytes of a moment within the years 0 to 9999.
  static func write(_ milliseconds: Int64, to target: UnsafeMutablePointer<UInt8>?) -> Int {
    guard let target else { return 0 }
    let day = milliseconds >= 0 ? milliseconds / 86_400_000 : -((-milliseconds + 86_399_999) / 86_400_000)
    let time = Int(milliseconds - day * 86_400_000)
    let (year, month, dayOfMonth) = civil(days: day)
    func put(_ value: Int, _ width: Int, _ at: Int) {
      var rest = value
      var position = at + width
      while position > at {
        position -= 1
        target[position] = 48 &+ UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      }
    }
    put(Int(year), 4, 0)
    target[4] = UInt8(ascii: "-")
    put(month, 2, 5)
    target[7] = UInt8(ascii: "-")
    put(dayOfMonth, 2, 8)
    target[10] = UInt8(ascii: "T")
    put(time / 3_600_000, 2, 11)
    target[13] = UInt8(ascii: ":")
    put(time / 60_000 % 60, 2, 14)
    target[16] = UInt8(ascii: ":")
    put(time / 1000 % 60, 2, 17)
    target[19] = UInt8(ascii: ".")
    put(time % 1000, 3, 20)
    target[23] = UInt8(ascii: "Z")
    return 24
  }

  /// The calendar date of a number of days since 1970-01-01.
  static func civil(days: Int64) -> (year: Int64, month: Int, day: Int) {
    // Years counted from March, so that the leap day ends them; eras of 400 years have one length.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), Int(month), Int(day))
  }

  /// Days from 1970-01-01 to a calendar date.
  static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// Milliseconds since 1970 of a date, a date with time, or one with a fraction of any length and an offset.
  ///
  /// Takes `2014-04-07`, `2014-04-07T22:17`, `…:17:17`, `….123456789`, then nothing, `Z` or `±hh:mm`. Digits after
  /// the third of a fraction are dropped. Nil for anything else, and for dates that no calendar has.
  static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    var scanner = Scanner(bytes: bytes)
    var sign: Int64 = 1
    if scanner.take("-") { sign = -1 } else { _ = scanner.take("+") }
    guard let year = scanner.number(atLeast: 4, atMost: 9), scanner.take("-"),
      let month = scanner.number(2), scanner.take("-"),
      let day = scanner.number(2), 1...12 ~= month, 1...31 ~= day
    else { return nil }
    // Beyond that 64 bits of milliseconds do not reach.
    guard year <= 292_000_000 else { return nil }
    let dayNumber = days(year: sign * year, month: month, day: day)
    let back = civil(days: dayNumber)
    guard back.month == Int(month), back.day == Int(day) else { return nil }
    var milliseconds = dayNumber * 86_400_000
    if scanner.atEnd { return milliseconds }
    guard scanner.take("T") || scanner.take("t") || scanner.take(" "),
      let hour = scanner.number(2), scanner.take(":"), let minute = scanner.number(2),
      hour < 24, minute < 60
    else { return nil }
    var second: Int64 = 0
    var fraction: Int64 = 0
    if scanner.take(":") {
      guard let value = scanner.number(2), value < 60 else { return nil }
      second = value
      if scanner.take(".") {
        guard let value = scanner.fraction() else { return nil }
        fraction = value
      }
    }
    milliseconds += ((hour * 60 + minute) * 60 + second) * 1000 + fraction
    if scanner.atEnd || scanner.take("Z") || scanner.take("z") { return scanner.atEnd ? milliseconds : nil }
    let west = scanner.take("-")
    guard west || scanner.take("+"), let hours = scanner.number(2) else { return nil }
    _ = scanner.take(":")
    guard let minutes = scanner.number(2), hours < 24, minutes < 60, scanner.atEnd else { return nil }
    let shift = (hours * 60 + minutes) * 60_000
    return west ? milliseconds + shift : milliseconds - shift
  }

  private struct Scanner {
    let bytes: UnsafeBufferPointer<UInt8>
    var index = 0

    init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var atEnd: Bool { index == bytes.count }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
      index += 1
      return true
    }

    mutating func number(_ width: Int) -> Int64? { number(atLeast: width, atMost: width) }

    mutating func number(atLeast least: Int, atMost most: Int) -> Int64? {
      var value: Int64 = 0
      let start = index
      while index < bytes.count, index - start < most, bytes[index] &- 48 <= 9 {
        value = value * 10 + Int64(bytes[index] - 48)
        index += 1
      }
      return index - start >= least ? value : nil
    }

    /// The first three digits of a fraction as milliseconds; at least one digit, the rest skipped.
    mutating func fraction() -> Int64? {
      var value: Int64 = 0
      let start = index
      while index < bytes.count, bytes[index] &- 48 <= 9 {
        if index - start < 3 { value = value * 10 + Int64(bytes[index] - 48) }
        index += 1
      }
      switch index - start {
      case 0: return nil
      case 1: return value * 100
      case 2: return value * 10
      default: return value
      }
    }
  }
}
