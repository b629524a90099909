package import Transit

/// `{:group "todo"}`: the data of the live event `revoked`.
package struct Revocation: WireMessage {
  package var group: String

  package init(group: String) { self.group = group }

  package func write(to writer: inout TransitWriter) throws {
    try writer.beginMap(count: 1)
    try writer.field(Keys.group, group)
    try writer.endMap()
  }

  package init(from reader: inout TransitReader) throws {
    var group: String?
    try reader.fields { name, reader in
      guard name == "group" else { return false }
      group = try reader.readString()
      return true
    }
    self.init(group: try reader.required(group, "group"))
  }
}
