internal import NIOCore

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// A look whether an address can be had.
enum BoundSocket {
  /// Binds a socket to the address and lets it go. It does not listen, so that nobody can connect to what will be gone in a moment.
  ///
  /// - Throws: `IOError`: the address is in use, or this machine has no such address, or it is not permitted.
  static func check(_ address: SocketAddress) throws {
    #if canImport(Glibc)
    let type = Int32(SOCK_STREAM.rawValue)
    #else
    let type = SOCK_STREAM
    #endif
    let descriptor = socket(Int32(address.protocol.rawValue), type, 0)
    guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
    defer { close(descriptor) }
    // As for the listener: connections of a server that has ended are no hindrance, one that listens is.
    var on: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout.size(ofValue: on)))
    let result = address.withSockAddr { bind(descriptor, $0, socklen_t($1)) }
    if result != 0 { throw IOError(errnoCode: errno, reason: "bind") }
  }
}
