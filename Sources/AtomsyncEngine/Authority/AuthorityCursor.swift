package import AtomsyncCore
internal import Foundation
internal import Transit

extension Authority {
  /// The group whose changes a cursor counts; `nil` when it is not a cursor of an authority's.
  package static func group(of cursor: Cursor) -> String? { AuthorityCursor(cursor)?.group }
}

/// What an authority writes into a `Cursor`, and reads back when the client returns it.
///
/// The text is `2.<epoch>.<sequence of the place>.<sequence>.<began>.<group, percent-encoded>`. Cursors of version 1,
/// `1.<store identity>.<sequence>.<began>.<group>`, are read too.
package struct AuthorityCursor: Equatable {
  package var group: String
  /// Where the group stood when the newest page was read. The history has to lead through here for the cursor to be
  /// continued: not only through ``sequence``, because a page leaves out what has since been written anew.
  package var place: HistoryPlace
  /// Everything up to here has been answered.
  package var sequence: Int64
  /// During a first pull: the group's counter when it began. Tombstones up to here are left out.
  /// Once `sequence` has reached it, the cursor is an ordinary one.
  package var began: Int64

  package init(group: String, place: HistoryPlace, sequence: Int64, began: Int64) {
    self.group = group
    self.place = place
    self.sequence = sequence
    self.began = began
  }

  /// A place alone, for what an answer to a push has told of.
  package init(group: String, place: HistoryPlace) {
    self.init(group: group, place: place, sequence: place.sequence, began: 0)
  }

  /// Group names have at most 128 bytes, which percent-encoding may triple; no cursor is longer than this.
  private static let maximumLength = 512

  /// `nil` when the text is not a cursor of a version that is known. O(1)
  package init?(_ cursor: Cursor) {
    let text = cursor.text.utf8
    guard text.count <= Self.maximumLength else { return nil }
    var parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).makeIterator()
    func next() -> String? { parts.next().flatMap { String($0) } }
    func number() -> Int64? { next().flatMap { Int64($0) }.flatMap { $0 < 0 ? nil : $0 } }
    guard let version = next(), let epoch = next().flatMap({ UUID(uuidString: $0) }) else { return nil }
    let place: Int64?
    switch version {
    case "1": place = nil
    case "2":
      guard let number = number() else { return nil }
      place = number
    default: return nil
    }
    guard let sequence = number(), sequence < .max,  // one more must exist
      let began = number(), let name = next(), let group = Self.decoded(name), !group.isEmpty,
      parts.next() == nil
    else { return nil }
    self.init(
      group: group, place: HistoryPlace(epoch: epoch, sequence: place ?? max(sequence, began)),
      sequence: sequence, began: began)
  }

  package var cursor: Cursor {
    var text = "2."
    text.reserveCapacity(128)
    text += UUIDText.text(place.epoch)
    for number in [place.sequence, sequence, began] { text += "." + String(number) }
    text += "."
    Self.encode(group, into: &text)
    return Cursor(text)
  }

  // Foundation's percent encoding takes longer than all the rest of a cursor.
  private static func encode(_ group: String, into text: inout String) {
    if group.utf8.allSatisfy(isPlain) { return text += group }
    for byte in group.utf8 {
      if isPlain(byte) {
        text.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        text += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
      }
    }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private static func decoded(_ name: String) -> String? {
    name.utf8.contains(UInt8(ascii: "%")) ? name.removingPercentEncoding : name
  }

  var isFirstPull: Bool { sequence < began }

  /// Whether what follows the cursor is all there.
  func canContinue(_ history: GroupHistory) -> Bool {
    // A first pull misses nothing by a purge of tombstones that it would leave out anyway.
    history.has(place) && max(sequence, began) >= history.head.horizon
      && max(sequence, began) <= history.head.counter
  }
}
