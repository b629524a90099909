import Foundation
import PackagePlugin

/// `swift package --allow-network-connections all atomsync-server [ARGUMENTS]`: builds the server and runs it in the
/// foreground, from any package that depends on Atomsync.
///
/// The server is built as a product rather than declared as a dependency, because a dependency of a plugin is built a
/// second time, as a tool.
@main
struct ServePlugin: CommandPlugin {
  func performCommand(context: PluginContext, arguments: [String]) throws {
    let result = try packageManager.build(
      .product("atomsync-server"), parameters: .init(configuration: .inherit, logging: .concise))
    guard result.succeeded,
      let server = result.builtArtifacts.first(where: {
        $0.kind == .executable && $0.url.lastPathComponent == "atomsync-server"
      })
    else { return Diagnostics.error("atomsync-server did not build:\n\(result.logText)") }
    let process = try Process.run(server.url, arguments: arguments)
    process.waitUntilExit()
    if process.terminationStatus != 0 {
      Diagnostics.error("atomsync-server ended with code \(process.terminationStatus).")
    }
  }
}
