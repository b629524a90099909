/// The types that the containers of `Decodable` name one by one.
protocol Primitive {
  /// Takes the value if it is of the case that such types mostly come as, and fits.
  init?(matching value: UnsafePointer<TransitValue>)
  /// Takes any other value that says the same, or throws why there is none.
  init(converting decoder: ValueDecoder) throws
}

extension Bool: Primitive {
  @inline(__always)
  init?(matching value: UnsafePointer<TransitValue>) {
    guard case .bool(let result) = value.pointee else { return nil }
    self = result
  }

  init(converting decoder: ValueDecoder) throws { throw decoder.mismatch(Bool.self) }
}

extension String: Primitive {
  @inline(__always)
  init?(matching value: UnsafePointer<TransitValue>) {
    guard case .string(let result) = value.pointee else { return nil }
    self = result
  }

  init(converting decoder: ValueDecoder) throws { throw decoder.mismatch(String.self) }
}

extension Double: Primitive {
  @inline(__always)
  init?(matching value: UnsafePointer<TransitValue>) {
    guard case .double(let result) = value.pointee else { return nil }
    self = result
  }

  init(converting decoder: ValueDecoder) throws {
    guard case .int(let number) = decoder.value else { throw decoder.mismatch(Double.self) }
    guard let result = Double(exactly: number) else {
      throw decoder.corrupted("Double does not hold \(number)")
    }
    self = result
  }
}

extension Float: Primitive {
  @inline(__always)
  init?(matching value: UnsafePointer<TransitValue>) {
    guard let result = Double(matching: value) else { return nil }
    self = Float(result)
  }

  init(converting decoder: ValueDecoder) throws { self = Float(try Double(converting: decoder)) }
}

extension FixedWidthInteger {
  @inline(__always)
  init?(matching value: UnsafePointer<TransitValue>) {
    guard case .int(let number) = value.pointee, let result = Self(exactly: number) else { return nil }
    self = result
  }

  init(converting decoder: ValueDecoder) throws {
    switch decoder.value {
    case .int(let number): throw decoder.corrupted("\(Self.self) does not hold \(number)")
    case .bigInt(let number):
      guard let result = number.exactly(Self.self) else {
        throw decoder.corrupted("\(Self.self) does not hold \(number)")
      }
      self = result
    default: throw decoder.mismatch(Self.self)
    }
  }
}

extension Int: Primitive {}
extension Int8: Primitive {}
extension Int16: Primitive {}
extension Int32: Primitive {}
extension Int64: Primitive {}
extension Int128: Primitive {}
extension UInt: Primitive {}
extension UInt8: Primitive {}
extension UInt16: Primitive {}
extension UInt32: Primitive {}
extension UInt64: Primitive {}
extension UInt128: Primitive {}
