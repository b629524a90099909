"""Speaks the sync protocol in verbose Transit-JSON, as far as the tests need it."""

import http.client
import json
import urllib.parse

TYPE = "application/transit+json"


def plain(value):
    """Transit's escaped strings and keyword keys as plain text."""
    if isinstance(value, dict):
        return {plain(key).removeprefix("~:"): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str) and len(value) > 1 and value[0] == "~" and value[1] in "~^`":
        return value[1:]
    return value


def transit(value):
    """Transit-JSON with its cache and its maps as arrays."""
    cache = []

    def text(word, is_key):
        if word.startswith("^") and word not in ("^ ",):
            return cache[ord(word[1]) - 48 if len(word) == 2 else (ord(word[1]) - 48) * 44 + ord(word[2]) - 48]
        if len(word) > 3 and (is_key or word[:2] in ("~:", "~$", "~#")):
            cache.append(word)
        return word

    def decode(value, is_key=False):
        if isinstance(value, str):
            return text(value, is_key)
        if isinstance(value, list) and value and value[0] == "^ ":
            pairs = iter(value[1:])
            return {decode(key, True): decode(next(pairs)) for key in pairs}
        if isinstance(value, list):
            return [decode(item) for item in value]
        return value

    return plain(decode(value))


def request(port, method, path, body=None, timeout=10):
    """Answers the status and the decoded body; raises OSError or HTTPException when there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        headers = {"Accept": TYPE + "; verbose=true", "Atomsync-Protocol": "1"}
        if body is not None:
            headers["Content-Type"] = TYPE
            body = json.dumps(body).encode()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, plain(json.loads(answer.read()))
    finally:
        connection.close()


def push(port, group, client, number, documents, timeout=10):
    """Documents: (id, base version, value or None)."""
    rows = []
    for name, version, value in documents:
        row = {"~:id": name, "~:version": version}
        row.update({"~:deleted": True} if value is None else {"~:value": value})
        rows.append(row)
    body = {"~:group": group, "~:client": "~u" + client, "~:push": number, "~:docs": rows}
    return request(port, "POST", "/sync", body, timeout)


class Follower:
    """Follows a group by its cursor, and watches that the history only grows."""

    def __init__(self, port, group):
        self.port, self.group = port, group
        self.cursor = None
        self.date = 0  # of the last change, which never falls
        self.documents = {}  # id -> (version, value or None)
        self.history = {}  # (id, version) -> value or None
        self.problems = []

    def pull(self, timeout=30):
        while True:
            query = {"group": self.group}
            query.update({"since": 0} if self.cursor is None else {"cursor": self.cursor})
            path = "/sync?" + urllib.parse.urlencode(query)
            status, page = request(self.port, "GET", path, timeout=timeout)
            if status != 200:
                raise OSError(f"a pull was answered with {status}: {page}")
            self.apply(page)
            if not page["more"]:
                return self.documents

    def apply(self, page):
        if page.get("reset"):
            self.problems.append("the server forgot the cursor of a follower")
            self.documents = {}
        for row in page["docs"]:
            if row["updated"] < self.date:
                self.problems.append(f"{row['id']} is dated {row['updated']}, after {self.date}")
            self.date = row["updated"]
            self.take(row["id"], row["version"], None if row.get("deleted") else row.get("value"))
        self.cursor = page["cursor"]

    def take(self, name, version, value):
        known = self.documents.get(name, (0, None))
        if (version, value) != known and version <= known[0]:
            self.problems.append(f"{name} went from version {known} to {(version, value)}")
        seen = self.history.setdefault((name, version), value)
        if seen != value:
            self.problems.append(f"version {version} of {name} was {seen}, then {value}")
        self.documents[name] = (version, value)


def follow(port, follower, is_over):
    """Applies the pages of a live stream until it ends."""
    query = {"group": follower.group} if follower.cursor is None else {"cursor": follower.cursor}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/sync?" + urllib.parse.urlencode(query), headers={"Accept": "text/event-stream"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise OSError(f"a stream was answered with {answer.status}")
        event = ""
        while not is_over():
            try:
                line = answer.fp.readline().decode()
            except TimeoutError:
                return  # quiet: read on elsewhere
            if not line:
                raise OSError("the stream has ended")
            if line.startswith("event: "):
                event = line[7:].strip()
            if line.startswith("data: ") and event == "page":
                follower.apply(transit(json.loads(line[6:])))
    finally:
        connection.close()


def everything(port, group):
    """All documents and tombstones, read anew."""
    return Follower(port, group).pull()
