#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// The one name of a file, however it is reached, so that everybody locks the same thing.
public enum CanonicalPath {
  /// `path` without links and detours. A file that does not exist yet is named by its folder's true name;
  /// where there is no folder either, `path` is answered as it came, and opening it will tell.
  public static func of(_ path: String) -> String {
    if let real = resolve(path) { return real }
    var folder = Substring(path)
    while folder.count > 1, folder.last == "/" { folder.removeLast() }
    let name = folder.split(separator: "/").last ?? folder
    folder = folder.dropLast(name.count)
    guard let real = resolve(folder.isEmpty ? "." : String(folder)) else { return path }
    return real == "/" ? "/\(name)" : "\(real)/\(name)"
  }

  private static func resolve(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }
}
