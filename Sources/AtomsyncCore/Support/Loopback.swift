/// The names and addresses under which a machine reaches itself.
package enum Loopback {
  /// Whether it is `localhost`, `::1` or one of 127.0.0.0/8. By bytes: it is asked of every request.
  package static func isAddress(_ host: Substring) -> Bool {
    let host = host.utf8
    if host.elementsEqual("::1".utf8) { return true }
    // In any case: a letter differs from its capital by this bit.
    if host.elementsEqual("localhost".utf8, by: { $0 | 0x20 == $1 }) { return true }
    return host.starts(with: "127.".utf8) && hasFourNumbers(host)
  }

  package static func isAddress(_ host: String) -> Bool { isAddress(host[...]) }

  /// Whether it is four numbers of one byte each, with dots between.
  private static func hasFourNumbers(_ address: Substring.UTF8View) -> Bool {
    var (parts, digits, number) = (1, 0, 0)
    for byte in address {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        digits += 1
        number = number * 10 + Int(byte - UInt8(ascii: "0"))
        if number > 255 || digits > 3 { return false }
      case UInt8(ascii: ".") where digits > 0:
        parts += 1
        (digits, number) = (0, 0)
      default: return false
      }
    }
    return parts == 4 && digits > 0
  }
}
