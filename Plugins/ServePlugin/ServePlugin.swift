import Foundation
import PackagePlugin

/// `swift package atomsync-server [ARGUMENTS]`: builds the server and runs it in the foreground.
///
/// The server is built as a product rather than declared as a dependency, because a dependency of a
/// plugin is built a second time, as a tool.
@main
struct ServePlugin: CommandPlugin {
  func performCommand(context: PluginContext, arguments: [String]) throws {
    let result = try packageManager.build(
      .product("atomsync-server"), parameters: .init(configuration: .release, logging: .concise))
    guard result.succeeded,
      let server = result.builtArtifacts.first(where: { $0.kind == .executable })
    else {
      Diagnostics.error("atomsync-server did not build:\n\(result.logText)")
      return
    }
    let process = try Process.run(server.url, arguments: arguments)
    process.waitUntilExit()
  }
}
