import Foundation

/// Requests made by `wrk`, which costs less than any client of ours and so leaves the server more of two cores.
struct Wrk {
  /// One thread: the other core is the server's.
  static func rate(_ url: String, connections: Int, script: String? = nil, seconds: Int = 3) throws -> Double
  {
    var arguments = ["wrk", "-t1", "-c\(connections)", "-d\(seconds)s"]
    let file = FileManager.default.temporaryDirectory.appending(path: "atomsync-wrk-\(UUID().uuidString).lua")
    defer { try? FileManager.default.removeItem(at: file) }
    if let script {
      try script.write(to: file, atomically: true, encoding: .utf8)
      arguments += ["-s", file.path(percentEncoded: false)]
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments + [url]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    let failures = text.split(separator: "\n").first {
      $0.contains("Non-2xx") || $0.contains("Socket errors")
    }
    if let failures { throw WrkError(description: "wrk: \(failures.trimmingCharacters(in: .whitespaces))") }
    let line = text.split(separator: "\n").first { $0.hasPrefix("Requests/sec") }
    guard let rate = line?.split(separator: " ").last.flatMap({ Double($0) }) else {
      throw WrkError(description: "wrk could not be run. Install it: apt-get install wrk")
    }
    return rate
  }

  /// Pushes of new documents, `count` at once, into sixteen groups in turn.
  static func pushes(of count: Int) -> String {
    """
    local n = 0
    local salt = math.random(1, 1e9)
    function init(args) math.randomseed(os.time()); salt = math.random(1, 1e9) end
    request = function()
      n = n + 1
      local documents = {}
      for i = 1, \(count) do
        documents[i] = '["^ ","~:id","' .. salt .. '-' .. n .. '-' .. i ..
          '","~:version",0,"~:value","some text of a document"]'
      end
      local body = '["^ ","~:group","g' .. (n % 16) .. '","~:docs",[' .. table.concat(documents, ",") .. ']]'
      return wrk.format("POST", nil, {["Content-Type"] = "application/transit+json"}, body)
    end
    """
  }

  /// These paths in turn, answered in MessagePack.
  static func reading(_ paths: [String]) -> String {
    """
    local paths = {\(paths.map { "\"\($0)\"" }.joined(separator: ","))}
    local n = 0
    request = function()
      n = n % #paths + 1
      return wrk.format("GET", paths[n], {["Accept"] = "application/transit+msgpack"})
    end
    """
  }
}

struct WrkError: Error, CustomStringConvertible {
  let description: String
}
