/// A hyperlink: Transit's `link` type, a map of `href`, `rel` and, if given, `name`, `render` and `prompt`.
///
/// Entries beyond these five are kept.
public struct TransitLink: Hashable, Sendable, CustomStringConvertible {
  /// How a link asks to be shown.
  public enum Render: String, Sendable, Hashable, CaseIterable {
    /// As something to follow.
    case link
    /// In place, as a picture.
    case image
  }

  /// The whole link as it is written, with string keys.
  public let map: TransitMap

  /// Where the link leads, as a URI.
  public var href: String {
    if case .uri(let text)? = map["href"] { text } else { "" }
  }
  /// What the target is to the place of the link.
  public var rel: String { map["rel"]?.stringValue ?? "" }
  /// A name to tell links apart.
  public var name: String? { map["name"]?.stringValue }
  /// How to show it.
  public var render: Render? { map["render"]?.stringValue.flatMap(Render.init(rawValue:)) }
  /// Text for people.
  public var prompt: String? { map["prompt"]?.stringValue }

  /// - Parameters:
  ///   - href: where the link leads, as a URI.
  ///   - rel: what the target is to the place of the link.
  ///   - name: a name to tell links apart.
  ///   - render: how to show it.
  ///   - prompt: text for people.
  public init(
    href: String, rel: String, name: String? = nil, render: Render? = nil, prompt: String? = nil
  ) {
    var map = TransitMap()
    map["href"] = .uri(href)
    map["rel"] = .string(rel)
    if let name { map["name"] = .string(name) }
    if let render { map["render"] = .string(render.rawValue) }
    if let prompt { map["prompt"] = .string(prompt) }
    self.map = map
  }

  /// Takes a map that is a link already.
  ///
  /// - Returns: nil unless `href` is a URI, `rel` a string, and the others, if present, are strings, `render` one of
  ///   `link` and `image`. A null counts as absent.
  public init?(map: TransitMap) {
    guard case .uri? = map["href"], case .string? = map["rel"] else { return nil }
    for key in ["name", "render", "prompt"] {
      switch map[.string(key)] {
      case nil, .null?: break
      case .string(let text)?:
        if key == "render", Render(rawValue: text) == nil { return nil }
      default: return nil
      }
    }
    self.map = map
  }

  /// The link as EDN.
  public var description: String { TransitValue.link(self).description }
}
