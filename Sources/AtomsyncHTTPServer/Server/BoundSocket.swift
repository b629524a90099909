internal import NIOCore

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Finds out whether this machine can listen at an address.
enum BoundSocket {
  /// Binds a socket to the address and lets it go. It does not listen, so that nobody can connect to what will be gone in a moment.
  ///
  /// - Throws: `IOError`: the address is in use, or this machine has no such address, or it is not permitted.
  static func check(_ address: SocketAddress) throws {
    #if canImport(Glibc)
    let type = CInt(SOCK_STREAM.rawValue)
    #else
    let type = SOCK_STREAM
    #endif
    let descriptor = socket(CInt(address.protocol.rawValue), type, 0)
    guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
    defer { close(descriptor) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    // As NIO does for the listener. Connections of a server that has ended are no hindrance, one that listens is.
    set(descriptor, SOL_SOCKET, SO_REUSEADDR, to: 1)
    if address.protocol == .inet6 { set(descriptor, CInt(IPPROTO_IPV6), IPV6_V6ONLY, to: 0) }
    let result = address.withSockAddr { bind(descriptor, $0, socklen_t($1)) }
    if result != 0 { throw IOError(errnoCode: errno, reason: "bind") }
  }

  private static func set(_ descriptor: CInt, _ level: CInt, _ option: CInt, to value: CInt) {
    var value = value
    setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout.size(ofValue: value)))
  }
}
