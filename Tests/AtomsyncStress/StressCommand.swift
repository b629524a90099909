internal import ArgumentParser

/// What the command line says.
struct StressCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "AtomsyncStress",
    abstract: "A replica under load, for tests that kill it, and the witness of what became of its writes.",
    discussion: """
      write   changes documents until the count or the time is reached, or until it is killed, and writes each
              change that was acknowledged as durable, and each verdict, to the journal
      drain   syncs until nothing is pending, and writes what it holds, and what became of each acknowledged
              change, to a report
      """)

  enum Mode: String, ExpressibleByArgument { case write, drain }
  enum StorageKind: String, ExpressibleByArgument { case sqlite, lmdb }
  enum Policy: String, ExpressibleByArgument { case server, local, merge }

  @Argument(help: "write or drain.")
  var mode: Mode

  @Option(help: "The server's URL.")
  var server: String

  @Option(help: "The group of documents.")
  var group = "stress"

  @Option(help: "The file or folder of the store.")
  var store: String

  @Option(help: "sqlite or lmdb.")
  var storage: StorageKind = .sqlite

  @Option(help: "The file to which acknowledged changes and verdicts are appended, one JSON object a line.")
  var journal: String

  @Option(help: "drain: the file for the report.")
  var report: String?

  @Option(help: "The first part of every value written.")
  var client = "c1"

  @Option(help: "The second part: rises with each start, so that no value is written twice.")
  var run = 1

  @Option(help: "Who wins when both sides changed a document: server, local or merge (the greater value).")
  var policy: Policy = .server

  @Option(help: "How many swaps a second to make.")
  var rate = 200

  @Option(help: "write: end well after this many swaps. 0: go on.")
  var count = 0

  @Option(help: "End after this many seconds at most.")
  var seconds = 60.0

  @Option(help: "What the choice of documents begins with.")
  var seed: UInt64 = 1

  @Option(help: "The number of documents that are fought over.")
  var small = 8

  @Option(help: "The number of documents that are changed now and then.")
  var large = 400

  @Option(help: "How many seconds a request may take.")
  var patience = 10.0

  @Option(help: "The most documents that may wait for the server before no more are changed.")
  var backlog = 2000

  @Flag(help: "Make each line of the journal durable before going on.")
  var fsync = false

  func validate() throws {
    guard rate > 0, seconds > 0, small > 0, large > 0, patience > 0 else {
      throw ValidationError("--rate, --seconds, --small, --large and --patience must be above 0.")
    }
    if mode == .drain && report == nil { throw ValidationError("drain needs --report.") }
  }
}
