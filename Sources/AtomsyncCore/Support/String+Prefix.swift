extension String {
  /// As much of the beginning as fits into so many bytes of UTF-8, in whole scalars. O(count)
  package func prefix(utf8Bytes count: Int) -> String {
    if utf8.count <= count { return self }
    var end = utf8.index(utf8.startIndex, offsetBy: count)
    while end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
    return String(self[..<end])
  }
}
