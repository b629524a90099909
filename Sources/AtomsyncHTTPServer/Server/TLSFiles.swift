/// Where a server's certificate and key are, both as PEM (RFC 7468).
public struct TLSFiles: Sendable, Hashable {
  /// The certificate, followed by those that vouch for it.
  public var certificate: String
  /// The certificate's key, without a password.
  public var key: String

  /// The paths of the two files, which are read when a server is made and when they change.
  public init(certificate: String, key: String) {
    self.certificate = certificate
    self.key = key
  }
}
