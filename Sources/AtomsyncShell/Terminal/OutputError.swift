internal import Foundation

/// Standard output cannot be written.
struct OutputError: Error, CustomStringConvertible {
  /// Whoever read it has gone: no news to them.
  let isBrokenPipe: Bool
  let description: String

  init(_ error: any Error) {
    let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError ?? error as NSError
    isBrokenPipe = underlying.domain == NSPOSIXErrorDomain && underlying.code == Int(EPIPE)
    let reason =
      underlying.domain == NSPOSIXErrorDomain ? String(cString: strerror(Int32(underlying.code))) : "\(error)"
    description = "The output cannot be written: \(reason). What was saved stays saved."
  }
}
