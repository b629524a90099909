internal import ArgumentParser

struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Serves a store over HTTP until SIGTERM or SIGINT.")

  @Argument(help: "The port, in the short form: atomsync-server 8090 my-data.db.")
  var shortPort: String?

  @Argument(help: "The path of the store, in the short form.")
  var shortPath: String?

  @OptionGroup var store: StoreOptions

  @Option(help: "The address to listen at. (ATOMSYNC_HOST; default: 127.0.0.1)")
  var host: String?

  @Option(help: "The port to listen at, 0 for any. (ATOMSYNC_PORT; default: 8090)")
  var port: String?

  @Option(help: "A JSON file of users and their tokens. (ATOMSYNC_USERS; default: no users, open)")
  var users: String?

  @Option(
    help: ArgumentHelp(
      "The keys of JSON Web Tokens that are let in: a JWKS file, or its https:// URL. (ATOMSYNC_JWT_KEYS; default: none)",
      valueName: "file or url"))
  var jwtKeys: String?

  @Option(help: ArgumentHelp("What a token's “iss” has to be. (ATOMSYNC_JWT_ISSUER)", valueName: "issuer"))
  var jwtIssuer: String?

  @Option(
    help: ArgumentHelp("What a token's “aud” has to name. (ATOMSYNC_JWT_AUDIENCE)", valueName: "audience"))
  var jwtAudience: String?

  @Option(
    help: ArgumentHelp(
      "A PEM file of a certificate and those that vouch for it, to serve HTTPS. Read again when it changes. (ATOMSYNC_TLS_CERTIFICATE; default: plain HTTP)",
      valueName: "file"))
  var tlsCertificate: String?

  @Option(
    help: ArgumentHelp("A PEM file of the certificate's key. (ATOMSYNC_TLS_KEY)", valueName: "file"))
  var tlsKey: String?

  @Flag(help: "Serve everybody who can reach the address, without users. (ATOMSYNC_OPEN=1)")
  var open = false

  @Option(
    help: ArgumentHelp(
      "An origin whose web pages may use the server, as https://example.com, or * for all. May be given more than once. (ATOMSYNC_CORS_ORIGIN, separated by spaces; default: none)",
      valueName: "origin"))
  var corsOrigin: [String] = []

  @Option(
    help: ArgumentHelp(
      "Serve metrics for Prometheus at this port, or HOST:PORT. (ATOMSYNC_METRICS; default: none)",
      valueName: "port"))
  var metrics: String?

  @Flag(
    inversion: .prefixedNo,
    help: ArgumentHelp(
      "Serve the inspector, a page that shows what the server holds, at /inspector/. (ATOMSYNC_INSPECTOR; default: where everybody on this machine may come in, and nobody else)"
    ))
  var inspector: Bool?

  @Option(help: "How logs are written: text or json. (ATOMSYNC_LOG_FORMAT; default: text)")
  var logFormat: String?

  @Option(
    help: "trace, debug, info, notice, warning, error or critical. (ATOMSYNC_LOG_LEVEL; default: notice)")
  var logLevel: String?
}
