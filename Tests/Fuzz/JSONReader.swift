import Transit

/// Feeds bytes to the JSON reader.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: size))
  if let value = try? TransitValue(transit: bytes, format: .json) { Properties.survives(value) }
  Properties.agrees(bytes, .json, [])
  return 0
}
