internal import ArgumentParser
internal import AtomsyncHTTPServer
internal import Foundation

struct TokenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token", abstract: "Makes a token, and the line of a users file that lets it in.",
    discussion: "The token is shown this once: the line has its digest only. Nothing is written.")

  @Argument(help: "The user's name.")
  var name: String

  @Option(parsing: .upToNextOption, help: "The user's groups: names, or a prefix followed by *.")
  var groups: [String]

  enum Access: String, ExpressibleByArgument {
    case write, read

    var granted: User.Access { self == .write ? .write : .read }
  }

  @Option(help: "What the user may do: write or read.")
  var access = Access.write

  func run() throws {
    let token = NewToken()
    _ = try Users([User(name, token: token.text, groups: groups, access: access.granted)])
    try ServerProgram.print("The token of \(name), which is shown this once:")
    try ServerProgram.print(token.text)
    try ServerProgram.print("The line for the users file:")
    try ServerProgram.print(try line(token))
  }

  private func line(_ token: NewToken) throws -> String {
    struct Entry: Encodable {
      var tokenSHA256: String
      var groups: [String]
      var access: String
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let entry = Entry(tokenSHA256: token.digest, groups: groups, access: access.rawValue)
    let object = String(decoding: try encoder.encode([name: entry]), as: UTF8.self)
    return String(object.dropFirst().dropLast())
  }
}
