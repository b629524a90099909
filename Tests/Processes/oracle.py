"""What must be true in the end, from the journals, the reports and the server's content.

- Every swap that was acknowledged as durable is confirmed, or in the list of conflicts.
- Every confirmed write is in the server's history: no version has gone back, none was given twice.
- What was written once is there to the letter; what was written together is there together.
- Nothing is shown that was never written.
- The replicas and the server agree.
"""

import collections
import json


def read_journal(path):
    lines = []
    with open(path, errors="replace") as journal:
        for text in journal:
            try:
                lines.append(json.loads(text))
            except ValueError:
                pass  # empty, or cut off by a kill
    return lines


def mark(value):
    client, run, counter = value.split(".")
    return client, (int(run), int(counter))


def precedes(value, other):
    """Both are of one client, and the first was written no later."""
    (client, count), (other_client, other_count) = mark(value), mark(other)
    return client == other_client and count <= other_count


def is_once(name):
    return name.startswith(("own:", "pair:"))


class Oracle:
    def __init__(self, follower, server):
        self.follower, self.server = follower, server
        self.problems = list(follower.problems)
        self.written = {None}
        self.claims = {}
        self.counts = collections.Counter()

    def problem(self, text):
        self.problems.append(text)

    def add(self, client):
        """Reads what a client wrote down and what it reports."""
        with open(client.report) as file:
            report = json.load(file)
        journal = read_journal(client.journal)
        name = client.name
        if not report["isSettled"] or report["pending"]:
            self.problem(f"{name} did not settle: {report.get('error')}, pending {report['pending'][:5]}")
        for entry in report["rejections"]:
            self.problem(f"{name}: {entry['id']} was rejected: {entry['outcome']}")
        self.check_agreement(name, report["documents"])
        self.check_writes(name, journal, report)
        self.counts["conflicts"] += len(report["conflicts"])

    def check_agreement(self, name, documents):
        alive = {key: value for key, (_, value) in self.server.items() if value is not None}
        for key in sorted(alive.keys() | documents.keys()):
            if alive.get(key) != documents.get(key):
                self.problem(f"{name} shows {key} as {documents.get(key)}, the server as {alive.get(key)}")

    def check_writes(self, name, journal, report):
        conflicts = {entry["number"]: entry for entry in report["conflicts"]}
        found = {(entry["edit"], entry["id"]): entry for entry in report["lookups"]}
        saved, deleted = {}, collections.Counter()
        for line in journal:
            kind = line["kind"]
            if kind == "made":
                self.written.update(line["writes"].values())
                deleted.update(key for key, value in line["writes"].items() if value is None)
                self.counts["made"] += 1
            elif kind == "lost":
                self.problem(f"{name} after restart {line['run']}: {line['message']}")
            elif kind == "saved":
                edit = line["receipt"]["edit"]
                if edit in saved:
                    self.problem(f"{name} gave the edit number {edit} twice: {saved[edit]}, {line['writes']}")
                saved[edit] = line["writes"]
                self.counts["acknowledged"] += 1
                deleted.subtract(key for key, value in line["writes"].items() if value is None)
        for edit, writes in saved.items():
            kinds = set()  # of what goes together
            for key, value in writes.items():
                if (edit, key) in found:
                    outcome = self.check_write(name, edit, key, value, found[edit, key], conflicts)
                    if key.startswith("pair:"):
                        kinds.add(outcome)
                elif value is not None:  # a deletion of nothing is no edit
                    self.problem(f"LOST: {name} edit {edit} of {key} = {value} is not accounted for")
            if len(kinds) > 1:
                self.problem(f"{name} edit {edit} was taken in part: {writes}")
        self.check_claims(name, saved, found, deleted)
        self.check_verdicts(name, journal, saved, found)

    def check_write(self, name, edit, key, value, entry, conflicts):
        outcome = entry["outcome"]
        what = f"{name} edit {edit} of {key} = {value}"
        self.counts[outcome.split(":")[0]] += 1
        if outcome == "accepted":
            self.check_accepted(what, key, value, entry["version"])
        elif outcome == "superseded":
            conflict = conflicts.get(entry["number"])
            if conflict is None or conflict["id"] != key:
                self.problem(f"LOST: {what} is said to be in conflict {entry['number']}, which is {conflict}")
            elif conflict.get("local") is None:
                if value is not None and is_once(key):
                    self.problem(f"LOST: {what} is in conflict {entry['number']} without its value")
            elif value is not None and not precedes(value, conflict["local"]):
                self.problem(f"LOST: {what} is in conflict {entry['number']} as {conflict['local']}")
        else:
            self.problem(f"LOST: {what}: {outcome}")
        return outcome

    def check_accepted(self, what, key, value, version):
        here, shown = self.server.get(key, (0, None))
        if version > here:
            self.problem(f"LOST: {what} was confirmed as version {version}, the server has {here}")
        if is_once(key) and (version, shown) != (1, value):
            self.problem(f"LOST: {what} was confirmed as version {version}, the server shows {shown}")
        if value is not None and version > 0:
            taken = self.follower.history.get((key, version))
            if taken is not None and not precedes(value, taken):
                self.problem(f"LOST: {what} was confirmed as version {version}, which was {taken}")

    def check_claims(self, name, saved, found, unacknowledged_deletions):
        """No version of a document was given to two clients. (Deleting what is deleted takes no version.)"""
        last = {}
        for edit in sorted(saved):
            for key, value in saved[edit].items():
                entry = found.get((edit, key))
                if entry and entry["outcome"] == "accepted" and entry["version"] > 0:
                    last[key, entry["version"]] = value
        for (key, version), value in last.items():
            if value is None or unacknowledged_deletions[key] > 0:
                continue
            other = self.claims.setdefault((key, version), name)
            if other != name:
                self.problem(f"version {version} of {key} was given to {other} and to {name}")

    def check_verdicts(self, name, journal, saved, found):
        """A verdict that was told once is still the verdict."""
        for line in journal:
            if line["kind"] != "verdict":
                continue
            self.counts["verdicts told"] += 1
            edit, key = line["receipt"]["edit"], line["id"]
            value = saved.get(edit, {}).get(key)
            # Deletions of what others delete too may be settled in several ways, and so may what was undone.
            if value is None or line["outcome"] != "accepted" or line["version"] == 0:
                continue
            entry = found.get((edit, key), {})
            if (entry.get("outcome"), entry.get("version")) != ("accepted", line["version"]):
                self.problem(
                    f"{name} edit {edit} of {key} = {value} was told to be accepted as version"
                    f" {line['version']}, and is now {entry}")

    def finish(self):
        for (key, version), value in self.follower.history.items():
            if value not in self.written:
                self.problem(f"version {version} of {key} is {value}, which nobody wrote")
        for key, (_, value) in self.server.items():
            if key.startswith("pair:"):
                other = key[:-1] + ("b" if key.endswith("a") else "a")
                if self.server.get(other, (0, None))[1] != value:
                    self.problem(f"{key} is {value}, and {other} is {self.server.get(other)}")
        return self.problems
