"""Has several servers share one store, kills them, and looks for a version that was given twice, or never.

Writers push into one hot group and many cold ones, each push to a server of its choice; one that is not answered goes to
another server, as it is. One server's clock is an hour behind. Followers read pages and live streams through all of
them. On PostgreSQL that is killed as well, session by session and as a whole, servers are stopped for a while, and the connections
between are cut. In the end every accepted write must be one step of its document's versions, the hot group's counter their number,
and each follower must hold what was accepted last.
"""

import collections
import http.client
import os
import signal
import subprocess
import threading
import time
import uuid

import postgres
import wire
import workshop
from programs import Failure, Server, die_with_parent

HOT = "hot"
SHARED = 20  # documents of the hot group that everybody edits


class SlowClock(Server):
    """A server whose clock is an hour behind."""

    def __init__(self, programs, storage, folder, path):
        super().__init__(programs, storage, folder, path)
        library = os.path.join(folder, "clock.so")
        source = os.path.join(os.path.dirname(__file__), "clock.c")
        subprocess.run(["clang", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        self.environment = dict(os.environ, LD_PRELOAD=library, CLOCK_OFFSET="-3600")


class Record:
    """What the servers have accepted, across all writers."""

    def __init__(self):
        self.lock = threading.Lock()
        self.accepted = {}  # (group, id) -> {version: value}
        self.problems = []
        self.counts = collections.Counter()
        self.slowest = 0.0

    def add(self, group, name, version, value, who):
        with self.lock:
            versions = self.accepted.setdefault((group, name), {})
            if version in versions:
                self.problems.append(
                    f"version {version} of {group}/{name} was given twice: {versions[version]}, and {value} of {who}")
            versions[version] = value
            self.counts[group if group == HOT else "cold"] += 1

    def problem(self, text):
        with self.lock:
            self.problems.append(text)


class Worker(threading.Thread):
    """Works until it is told to stop; what it throws is a problem of the record's."""

    def __init__(self, cluster, record, name):
        super().__init__(daemon=True, name=name)
        self.cluster, self.record = cluster, record
        self.random = cluster.fork(name)

    def run(self):
        try:
            self.work()
        except Exception as error:
            self.record.problem(f"{self.name} failed: {type(error).__name__}: {error}")


class Writer(Worker):
    def __init__(self, cluster, record, number):
        super().__init__(cluster, record, f"writer {number}")
        self.number = number
        self.clients = {}  # group -> (client id, last number)
        self.known = {}  # (group, id) -> (version, is there)

    def work(self):
        count = 0
        while not self.cluster.is_over:
            count += 1
            group = HOT if self.random.random() < 0.6 else f"cold-{self.number}-{self.random.randrange(4)}"
            self.push(group, self.edits(group, count))

    def edits(self, group, count):
        names = {f"w{self.number}:{self.random.randrange(30)}" for _ in range(self.random.randint(1, 4))}
        if group == HOT:
            names |= {f"s:{self.random.randrange(SHARED)}" for _ in range(self.random.randint(0, 2))}
        edits = []
        for name in sorted(names):
            version, is_there = self.known.get((group, name), (0, False))
            # Not what others may delete too: the second deletion would be told the version of the first.
            deletes = is_there and name.startswith("w") and self.random.random() < 0.1
            edits.append((name, version if is_there else 0, None if deletes else f"{self.number}.{count}"))
        return edits

    def push(self, group, edits):
        client, number = self.clients.get(group, (str(uuid.uuid4()), 0))
        number += 1
        self.clients[group] = (client, number)
        began = time.monotonic()
        while True:
            server = self.random.choice(self.cluster.servers)
            try:
                status, answer = wire.push(server.port, group, client, number, edits, timeout=20)
            except (OSError, http.client.HTTPException, ValueError):
                status = 0
            if status == 200:
                break
            if status not in (0, 503):
                self.record.problem(f"a push to {group} was answered with {status}: {answer}")
                return
            self.record.counts["repeated"] += 1
            self.cluster.pause(0.02)
        self.record.slowest = max(self.record.slowest, time.monotonic() - began)
        self.record.counts["pushes"] += 1
        values = {name: value for name, _, value in edits}
        for row in answer["accepted"]:
            name, version = row["id"], row["version"]
            self.record.add(group, name, version, values[name], self.name)
            self.known[group, name] = (version, values[name] is not None)
        for row in answer["rejected"]:
            if row["reason"] != "~:stale":
                self.record.problem(f"{group}/{row['id']} was rejected as {row['reason']}")
            self.record.counts["stale"] += 1
            self.known[group, row["id"]] = (row["version"], not row.get("deleted"))


class PageFollower(Worker):
    """Pulls page by page, each from another server."""

    def __init__(self, cluster, record, group):
        super().__init__(cluster, record, f"follower of {group}")
        self.follower = wire.Follower(0, group)

    def work(self):
        while not self.cluster.is_over:
            self.look()
            self.cluster.pause(self.random.uniform(0, 0.2))

    def look(self):
        self.follower.port = self.random.choice(self.cluster.servers).port
        try:
            self.follower.pull(timeout=20)
        except (OSError, http.client.HTTPException, ValueError):
            self.record.counts["pulls that failed"] += 1


class StreamFollower(Worker):
    """Follows a live stream; goes on at another server when it ends."""

    def __init__(self, cluster, record, group):
        super().__init__(cluster, record, f"stream of {group}")
        self.follower = wire.Follower(0, group)

    def work(self):
        while not self.cluster.is_over:
            port = self.random.choice(self.cluster.servers).port
            try:
                wire.follow(port, self.follower, lambda: self.cluster.is_over)
            except (OSError, http.client.HTTPException, ValueError):
                self.record.counts["streams that ended"] += 1
                self.cluster.pause(0.05)


class Cluster:
    """Servers on one store."""

    def __init__(self, place, options, storage, count):
        self.place, self.options, self.is_over = place, options, False
        self.over = threading.Event()
        self.database = postgres.Postgres(place) if storage == "postgres" else None
        # As who looks into it afterwards names it.
        self.path = self.database.url if self.database else os.path.join(place.folder, "store." + storage)
        self.servers = []
        for number in range(count):
            kind = SlowClock if number == count - 1 else Server
            path = self.database.behind_proxy(f"{options.seed} {number}") if self.database else self.path
            server = kind(options.programs, storage, place.folder, path)
            server.name = f"server{number}"
            server.log = os.path.join(place.folder, server.name + ".log")
            self.servers.append(place.add(server))

    def fork(self, name):
        return type(self.place.random)(f"{self.place.random.random()} {name}")

    def pause(self, seconds):
        self.over.wait(seconds)

    def stop(self):
        self.is_over = True
        self.over.set()

    def disturb(self, random):
        """One of the things that happen to servers, and to what they stand on."""
        chance = random.random()
        if not self.database or chance < 0.3:
            self.kill(random)
        elif chance < 0.5:
            self.database.cut(random.uniform(0.2, 2), time.sleep)
        elif chance < 0.65:
            self.database.end_sessions()
        elif chance < 0.8:
            self.database.kill_session(random)
        elif chance < 0.9:
            self.database.kill_all()
        else:
            self.halt(random)

    def kill(self, random):
        victim = random.choice(self.servers)
        victim.kill()
        if random.random() < 0.5:
            time.sleep(random.uniform(0, 0.5))
        victim.start()

    def halt(self, random):
        """Stops a server where it is, maybe with rows locked, for longer than anybody waits for it."""
        victim = random.choice(self.servers)
        victim.send(signal.SIGSTOP)
        time.sleep(random.uniform(5, self.options.longest_halt))
        victim.send(signal.SIGCONT)


def test(storage, count, options):
    def run(place):
        cluster = Cluster(place, options, storage, count)
        for server in cluster.servers:
            server.start()
        record = Record()
        writers = [Writer(cluster, record, number) for number in range(options.writers)]
        followers = [PageFollower(cluster, record, HOT), PageFollower(cluster, record, "cold-0-0")]
        followers += [StreamFollower(cluster, record, HOT) for _ in range(2)]
        workers = writers + followers
        for worker in workers:
            worker.start()
        end = time.monotonic() + options.seconds
        while time.monotonic() < end:
            time.sleep(place.random.uniform(0.5, 3))
            cluster.disturb(place.random)
        cluster.stop()
        for worker in workers:
            worker.join(60)
            if worker.is_alive():
                raise Failure(f"{worker.name} does not come to an end")
        return conclude(place, cluster, record, followers, options)

    return run


def conclude(place, cluster, record, followers, options):
    problems = record.problems
    port = cluster.servers[0].port
    groups = sorted({group for group, _ in record.accepted})
    for group in groups:
        reader = wire.Follower(port, group)
        final = reader.pull()
        problems += reader.problems
        accepted = {name: versions for (of, name), versions in record.accepted.items() if of == group}
        for name, versions in accepted.items():
            last = max(versions)
            if sorted(versions) != list(range(1, last + 1)):
                missing = sorted(set(range(1, last + 1)) - set(versions))
                problems.append(f"{group}/{name} has {last} versions, and nobody wrote {missing[:5]}")
            if final.get(name) != (last, versions[last]):
                problems.append(f"{group}/{name} is {final.get(name)}; the last write was {(last, versions[last])}")
        counter = int(reader.cursor.split(".")[3])
        writes = sum(len(versions) for versions in accepted.values())
        if counter != writes:
            problems.append(f"the counter of {group} is {counter}, and {writes} writes were accepted")
    for worker in followers:
        follower = worker.follower
        follower.port = port
        follower.pull()
        problems += [f"{worker.name}: {problem}" for problem in follower.problems]
        if follower.documents != wire.everything(port, follower.group):
            problems.append(f"{worker.name} has not everything")
        for (name, version), value in follower.history.items():
            if record.accepted.get((follower.group, name), {}).get(version, value) != value:
                problems.append(f"{worker.name}: version {version} of {name} is {value}")
    for server in cluster.servers:
        server.end()
    verified = subprocess.run(
        [os.path.join(options.programs, "atomsync-server"), "verify", "--storage", cluster.servers[0].storage,
         "--path", cluster.path], capture_output=True, text=True, preexec_fn=die_with_parent)
    if verified.returncode != 0:
        problems.append(f"verify ended with {verified.returncode}: {verified.stdout[:500]} {verified.stderr[:500]}")
    if problems:
        raise Failure(f"{len(problems)} problems, such as:\n    " + "\n    ".join(problems[:10]))
    kills = sum(server.kills for server in cluster.servers)
    of_postgres = f" of servers and {cluster.database.kills} of PostgreSQL" if cluster.database else ""
    counts = record.counts
    return (
        f"{kills} kills{of_postgres}, {counts['pushes']} pushes ({counts['repeated']} repeated), {counts[HOT]} writes to the hot group"
        f" and {counts['cold']} to {len(groups) - 1} cold ones, {counts['stale']} stale; the slowest push took"
        f" {record.slowest:.2f} s; {verified.stdout.strip()}")


def main():
    parser = workshop.parser(__doc__)
    parser.add_argument("--writers", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=75, help="for each of the tests")
    parser.add_argument("--longest-halt", type=float, default=15, help="how long a server may be stopped, in seconds")
    parser.add_argument("--servers", default="2,3", help="how many servers")
    options = parser.parse_args()
    tests = []
    for storage in options.storage.split(","):
        for count in options.servers.split(","):
            tests.append((
                f"{count} servers on one {storage} store", options.seconds + 300,
                test(storage, int(count), options)))
    workshop.main(options, tests)


if __name__ == "__main__":
    main()
