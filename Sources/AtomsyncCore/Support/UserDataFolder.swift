package import Foundation

/// Where programs keep a user's data.
package enum UserDataFolder {
  /// Application Support on Apple's systems; elsewhere `$XDG_DATA_HOME`, or `~/.local/share` where that names no absolute
  /// path. (XDG Base Directory Specification 0.8: a relative one counts as none.)
  package static var url: URL {
    #if canImport(Darwin)
    FileManager.default.urls(for: .applicationSupportDirectory, in: .userDomainMask).first
      ?? FileManager.default.temporaryDirectory
    #else
    if let path = ProcessInfo.processInfo.environment["XDG_DATA_HOME"], path.hasPrefix("/") {
      URL(fileURLWithPath: path, isDirectory: true)
    } else {
      FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".local/share")
    }
    #endif
  }
}
