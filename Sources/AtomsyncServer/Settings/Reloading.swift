internal import AtomsyncHTTPServer
internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// Reads the users file again on SIGHUP, so that a token can be given or taken without a restart.
struct UsersFile: Service {
  let path: String
  let endpoint: SyncEndpoint
  let logger: Logger

  func run() async {
    for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
      do {
        let users = try Users(contentsOf: path)
        endpoint.replaceUsers(users)
        logger.notice("The users file was read again.", metadata: ["users": "\(users.users.count)"])
      } catch {
        logger.error("The users stay as they were. \(error)")
      }
    }
  }
}
