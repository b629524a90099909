internal import AtomsyncCore
internal import AtomsyncEngine
internal import Transit

/// A message that is only ever written: its reader is the page.
protocol InspectorMessage: WireMessage {}

extension InspectorMessage {
  init(from reader: inout TransitReader) throws {
    throw MessageError("This message is for the inspector's page.", offset: reader.offset)
  }
}

/// `{:groups [{:group … :documents … :tombstones … :bytes … :complete … :updated …}] :more …}`
struct GroupList: InspectorMessage {
  var groups: [GroupOverview]
  var hasMore: Bool

  func write(to writer: inout TransitWriter) throws {
    try writer.beginMap(count: 2)
    try writer.write(Keyword("groups"))
    try writer.beginArray(count: groups.count)
    for group in groups { try write(group, to: &writer) }
    try writer.endArray()
    try writer.write(Keyword("more"))
    try writer.write(hasMore)
    try writer.endMap()
  }

  private func write(_ group: GroupOverview, to writer: inout TransitWriter) throws {
    try writer.beginMap(count: 6)
    try writer.write(Keyword("group"))
    try writer.write(group.name)
    let numbers = [
      ("documents", group.documents), ("tombstones", group.tombstones), ("bytes", group.bytes),
      ("updated", group.updated),
    ]
    for (name, number) in numbers {
      try writer.write(Keyword(name))
      try writer.write(number)
    }
    try writer.write(Keyword("complete"))
    try writer.write(group.isComplete)
    try writer.endMap()
  }
}

/// `{:group … :changes [{:sequence … :document {:id … :version … :updated … :value …}}] :more …}`
struct RecentChanges: InspectorMessage {
  var group: String
  var changes: [Authority.Change]
  var hasMore: Bool

  func write(to writer: inout TransitWriter) throws {
    try writer.beginMap(count: 3)
    try writer.write(Keyword("group"))
    try writer.write(group)
    try writer.write(Keyword("changes"))
    try writer.beginArray(count: changes.count)
    for change in changes {
      try writer.beginMap(count: 2)
      try writer.write(Keyword("sequence"))
      try writer.write(change.sequence)
      try writer.write(Keyword("document"))
      try change.document.write(to: &writer)
      try writer.endMap()
    }
    try writer.endArray()
    try writer.write(Keyword("more"))
    try writer.write(hasMore)
    try writer.endMap()
  }
}

/// `{:metrics "…"}`: what Prometheus would read.
struct Figures: InspectorMessage {
  var text: String

  func write(to writer: inout TransitWriter) throws {
    try writer.beginMap(count: 1)
    try writer.write(Keyword("metrics"))
    try writer.write(text)
    try writer.endMap()
  }
}
