internal import AtomsyncHTTPServer
internal import AtomsyncJWT
internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// Reads files again on SIGHUP: the users, so that a token can be given or taken without a restart, the keys of tokens, and the
/// certificate.
struct Reloading: Service {
  let usersPath: String?
  let tokens: JWTAuthenticator?
  let server: SyncServer
  let logger: Logger

  func run() async {
    for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
      readUsers()
      await readKeys()
      do { try server.reloadCertificate() } catch {
        logger.error("The TLS certificate stays as it was. \(error)")
      }
    }
  }

  private func readUsers() {
    guard let usersPath else { return }
    do {
      let users = try Users(contentsOf: usersPath)
      server.endpoint.replaceUsers(users)
      logger.notice("The users file was read again.", metadata: ["users": "\(users.users.count)"])
    } catch {
      logger.error("The users stay as they were. \(error)")
    }
  }

  private func readKeys() async {
    guard let tokens else { return }
    do {
      try await tokens.reloadKeys()
      server.endpoint.recheckUsers()
      logger.notice("The keys for JWTs were read again.")
    } catch {
      logger.error("The keys for JWTs stay as they were. \(error)")
    }
  }
}
