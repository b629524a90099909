import Transit

/// Feeds bytes to the transcoder; the first byte chooses the encoding they claim to have.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  guard let data, size > 0 else { return 0 }
  let bytes = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
  Properties.agrees(bytes, data[0] & 1 == 0 ? .json : .msgpack)
  return 0
}
