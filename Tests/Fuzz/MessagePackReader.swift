import Transit

/// Feeds bytes to the MessagePack reader.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: data, count: size))
  if let value = try? TransitValue(transit: bytes, format: .msgpack) { Properties.survives(value) }
  Properties.agrees(bytes, .msgpack, [])
  return 0
}
