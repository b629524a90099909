internal import AtomsyncCore

extension PushRequest {
  /// Tells pushes apart that bear the same number: what they say and on what ground, by FNV-1a with 64 bits
  /// (draft-eastlake-fnv, §2). Not a secret, and only ever compared with the digest of the same client's last push.
  /// O(bytes)
  var digest: Int64 {
    var digest = Digest()
    digest.mix(isAtomic ? 1 : 0)
    digest.mix((cursor?.text ?? "").utf8)
    for edit in edits {
      digest.mix(edit.id.utf8)
      withUnsafeBytes(of: edit.version.bigEndian) { digest.mix($0) }
      digest.mix(edit.content == .deleted ? 0 : 1)
      digest.mix(edit.content.payload?.bytes ?? [])
    }
    return Int64(bitPattern: digest.value)
  }

  private struct Digest {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func mix(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }

    /// Closed by a byte that is in no UTF-8, and with the number of bytes, so that no two lists run together.
    mutating func mix(_ bytes: some Collection<UInt8>) {
      for byte in bytes { mix(byte) }
      mix(0xFF)
      withUnsafeBytes(of: UInt64(bytes.count).bigEndian) { for byte in $0 { mix(byte) } }
    }
  }
}
