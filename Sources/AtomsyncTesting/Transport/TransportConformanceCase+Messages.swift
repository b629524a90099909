internal import AtomsyncCore
internal import AtomsyncEngine
internal import Transit

extension TransportConformanceCase {
  static let messages: [TransportConformanceCase] = [
    TransportConformanceCase("what is pushed is pulled as it was") { trial in
      try await trial.open { transport in
        let values = try Samples.values().enumerated().map { (id: "é/\($0.offset) ~:^", value: $0.element) }
        let edits = try values.map { Edit(id: $0.id, version: 0, content: try Samples.content($0.value)) }
        let answer = try await transport.push(PushRequest(group: "größe/g", edits: edits))
        try trial.expectations.expect(answer.accepted.map(\.id), is: values.map(\.id), "accepted ids")
        let page = try await transport.pull(PullRequest(group: "größe/g"))
        try trial.expectations.expect(page.documents.map(\.content), is: edits.map(\.content), "contents")
        try trial.expectations.expect(
          page.documents.map(\.version), is: answer.accepted.map(\.version), "versions")
      }
    },
    TransportConformanceCase("a page is the authority's") { trial in
      try await trial.write((0..<10).map { "d\($0)" })
      try await trial.open { transport in
        var request = PullRequest(group: "g", limit: 4)
        for _ in 0..<4 {
          var page = try await transport.pull(request)
          var own = try await trial.authority.pull(request)
          (page.now, own.now) = (0, 0)
          try trial.expectations.expect(page, is: own, "a page")
          request.start = .cursor(page.cursor)
          request.seen = page.cursor
        }
        let since = try await transport.pull(PullRequest(group: "g", start: .since(0)))
        try trial.expectations.expect(since.documents.count, is: 10, "documents since 1970")
      }
    },
    TransportConformanceCase("verdicts are the authority's") { trial in
      try await trial.write(["a", "b"])
      try await trial.open { transport in
        let edits = [
          Edit(id: "a", version: 0, content: try Samples.content("stale")),
          Edit(id: "b", version: 1, content: .deleted),
          Edit(id: "c", version: 0, content: try Samples.content(1)),
        ]
        let answer = try await transport.push(PushRequest(group: "g", edits: edits))
        try trial.expectations.expect(answer.accepted.map(\.id), is: ["b", "c"], "accepted")
        try trial.expectations.expect(answer.rejected.map(\.id), is: ["a"], "rejected")
        try trial.expectations.expect(answer.rejected.first?.reason, is: .stale, "the reason")
        try trial.expectations.expect(
          answer.rejected.first?.current?.content, is: try Samples.content("v"), "the server's document")
      }
    },
    TransportConformanceCase("an atomic push is one") { trial in
      try await trial.write(["a"])
      try await trial.open { transport in
        let edits = ["a", "b"].map { Edit(id: $0, version: 0, content: .deleted) }
        let answer = try await transport.push(PushRequest(group: "g", isAtomic: true, edits: edits))
        try trial.expectations.expect(answer.rejected.map(\.id), is: ["a", "b"], "rejected")
      }
    },
    TransportConformanceCase("a push that is repeated is one push") { trial in
      try await trial.open { transport in
        let push = PushRequest(
          group: "g", ticket: PushTicket(client: Samples.client, number: 1),
          edits: [Edit(id: "a", version: 0, content: try Samples.content(1))])
        let first = try await transport.push(push)
        let second = try await transport.push(push)
        try trial.expectations.expect(second.accepted, is: first.accepted, "the answer to the repetition")
      }
    },
    TransportConformanceCase("each call arrives once") { trial in
      try await trial.open { transport in
        for number in 0..<20 {
          let edit = Edit(id: "a", version: Int64(number), content: try Samples.content(.int(Int64(number))))
          let answer = try await transport.push(PushRequest(group: "g", edits: [edit]))
          try trial.expectations.expect(answer.accepted.map(\.version), is: [edit.version + 1], "the version")
        }
      }
    },
    TransportConformanceCase("calls may run at once") { trial in
      try await trial.open { transport in
        try await withThrowingTaskGroup { group in
          for number in 0..<40 {
            group.addTask {
              let edit = Edit(id: "\(number)", version: 0, content: try Samples.content(.int(Int64(number))))
              let answer = try await transport.push(PushRequest(group: "g", edits: [edit]))
              try trial.expectations.expect(answer.accepted.map(\.id), is: ["\(number)"], "accepted")
              let page = try await transport.pull(PullRequest(group: "g"))
              let own = page.documents.first { $0.id == "\(number)" }
              try trial.expectations.expect(own?.content, is: edit.content, "what was just pushed")
            }
          }
          try await group.waitForAll()
        }
      }
    },
    TransportConformanceCase("a message of megabytes passes") { trial in
      try await trial.open { transport in
        let text = TransitValue.string(String(repeating: "é", count: 200_000))
        let edits = try (0..<10).map { Edit(id: "\($0)", version: 0, content: try Samples.content(text)) }
        _ = try await transport.push(PushRequest(group: "g", edits: edits))
        let page = try await transport.pull(PullRequest(group: "g"))
        try trial.expectations.expect(page.documents.map(\.content), is: edits.map(\.content), "contents")
      }
    },
  ]
}
