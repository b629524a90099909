internal import ArgumentParser
internal import Atomsync
internal import AtomsyncSettings

struct VerifyCommand: OneStoreCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Checks a store: that its indexes agree and every row can be read. It may be in use.",
    discussion:
      "Ends with 0 when nothing is wrong, with 1 after a line for each problem, with 2 if it cannot look.")

  @OptionGroup var store: StoreOptions

  func perform(_ settings: SettingsReader, print: @escaping @Sendable (String) throws -> Void) async throws
    -> Int32
  {
    let location = try StoreLocation(store, settings)
    try await location.requireExistence()
    let report = try await Authority.verify(location.provider)
    for problem in report.problems { try print(problem) }
    try print(
      "\(location.provider): \(report.documents) documents in \(report.groups) groups, "
        + (report.problems.isEmpty ? "nothing is wrong." : "\(report.problems.count) problems."))
    return report.problems.isEmpty ? 0 : 1
  }
}
