internal import ArgumentParser
internal import AtomsyncCore
internal import AtomsyncEncryption
internal import Foundation

extension EncryptionProvider {
  /// What the options say of encryption; `nil` without a key file.
  ///
  /// - Throws: `ValidationError` for a file that cannot be read or holds no keys.
  init?(_ settings: ReplicaSettings) throws {
    guard let path = settings.keyFile else { return nil }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ValidationError("The key file \(path) cannot be read.")
    }
    let ring: KeyRing
    do { ring = try KeyRing(text: String(decoding: data, as: UTF8.self)) } catch {
      throw ValidationError("The key file \(path): \(error)")
    }
    let options = settings.options
    self = .keys(ring, ids: options.hidesIDs ? .hidden : .readable, local: options.sealsStore)
  }
}
