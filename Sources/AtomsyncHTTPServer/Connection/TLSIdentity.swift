internal import AtomsyncCore
internal import Foundation
internal import Logging
internal import NIOSSL

/// The files of a certificate and its key, as they were when they were last read without an error.
final class TLSIdentity: Sendable {
  private struct Read {
    var context: NIOSSLContext
    /// What the files were before they were read.
    var stamps: [Stamp]
  }

  private let files: TLSFiles
  private let current: Lock<Read>

  /// How often the files are looked at.
  private static let interval = Duration.seconds(5)

  /// - Throws: ``HTTPServerError``.
  init(_ files: TLSFiles) throws(HTTPServerError) {
    self.files = files
    let stamps = Self.stamps(files)
    current = Lock(Read(context: try Self.read(files), stamps: stamps))
  }

  /// What new connections are made with; those that stand keep theirs.
  var context: NIOSSLContext { current.withLock { $0.context } }

  /// Reads the files again. When they cannot be used, everything stays as it was.
  ///
  /// - Throws: ``HTTPServerError``.
  func reload() throws(HTTPServerError) {
    let stamps = Self.stamps(files)
    let context = try Self.read(files)
    current.withLock { $0 = Read(context: context, stamps: stamps) }
  }

  /// Reads the files again when they have changed, until the task is cancelled.
  func follow(_ logger: Logger) async {
    var failed: [Stamp]?
    while (try? await ContinuousClock().sleep(for: Self.interval)) != nil {
      let stamps = Self.stamps(files)
      if stamps == current.withLock({ $0.stamps }) { continue }
      do {
        try reload()
        failed = nil
        logger.notice("The TLS certificate was read again.")
      } catch {
        // A certificate and its key are seldom replaced in one moment: it is tried again, and told once.
        if failed == stamps { continue }
        failed = stamps
        logger.warning("The TLS certificate stays as it was. \(error)")
      }
    }
  }

  private struct Stamp: Equatable {
    var modified: Date?
    var size: Int?
    var number: Int?
  }

  private static func stamps(_ files: TLSFiles) -> [Stamp] {
    [files.certificate, files.key].map { path in
      // Of what a link leads to: certificates are often renewed by pointing a link elsewhere.
      let path = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      return Stamp(
        modified: attributes?[.modificationDate] as? Date, size: attributes?[.size] as? Int,
        number: attributes?[.systemFileNumber] as? Int)
    }
  }

  private static func read(_ files: TLSFiles) throws(HTTPServerError) -> NIOSSLContext {
    let chain: [NIOSSLCertificate]
    do { chain = try NIOSSLCertificate.fromPEMFile(files.certificate) } catch {
      throw unusable("The certificate \(files.certificate)", files.certificate, error)
    }
    guard !chain.isEmpty else {
      throw HTTPServerError(
        .certificateUnusable, "The file \(files.certificate) has no certificate. It must be PEM.")
    }
    let key: NIOSSLPrivateKey
    do { key = try NIOSSLPrivateKey(file: files.key, format: .pem) } catch {
      throw unusable("The key \(files.key)", files.key, error)
    }
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    configuration.minimumTLSVersion = .tlsv12
    configuration.applicationProtocols = ["h2", "http/1.1"]
    do { return try NIOSSLContext(configuration: configuration) } catch {
      throw HTTPServerError(
        .certificateUnusable,
        "The key \(files.key) does not belong to the certificate \(files.certificate), or cannot be used.",
        cause: "\(error)")
    }
  }

  private static func unusable(_ what: String, _ path: String, _ error: any Error) -> HTTPServerError {
    let reason =
      FileManager.default.isReadableFile(atPath: path)
      ? "cannot be used. It must be PEM, and not have a password." : "cannot be read."
    return HTTPServerError(.certificateUnusable, "\(what) \(reason)", cause: "\(error)")
  }
}
