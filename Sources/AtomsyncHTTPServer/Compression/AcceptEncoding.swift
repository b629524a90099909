/// What an `Accept-Encoding` header says of gzip (RFC 9110 §12.5.3).
enum AcceptEncoding {
  /// Whether an answer may be compressed with gzip. Without a header it is sent as it is, as most clients expect.
  static func allowsGzip(_ header: String?) -> Bool {
    // Looked at before it is known who sent it: short, and by bytes.
    guard let header, header.utf8.count <= 1024, header.utf8.allSatisfy({ $0 < 0x80 }) else { return false }
    var any = false
    for entry in header.lowercased().split(separator: ",") {
      let parts = entry.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
      guard let name = parts.first else { continue }
      let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
      if name == "gzip" || name == "x-gzip" { return weight > 0 }
      if name == "*" { any = weight > 0 }
    }
    return any
  }
}
