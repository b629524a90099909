"""Fills the disk under a replica and under the server, stops the server for a while, and puts a bad network between.

Each time the replicas are under load, the fault goes away, everything has to recover by itself, and the oracle looks
for a lost write. A full disk needs root, for a small tmpfs; without it those tests are skipped.
"""

import os
import signal
import subprocess
import time

import kill
import wire
import workshop
from oracle import read_journal
from programs import Client, Failure, Server
from proxy import CUT, DEAF, PASS, SWALLOW, Proxy


class Scene:
    """A server and two replicas."""

    def __init__(self, place, options, server_storage, client_storage):
        self.place, self.options = place, options
        self.server = place.add(Server(options.programs, server_storage, place.folder))
        self.clients = [
            place.add(Client(options.programs, name, client_storage, place.folder, self.server))
            for name in ("c1", "c2")
        ]
        for client in self.clients:
            client.options = {"rate": options.rate, "seconds": 3600, "seed": options.seed, "backlog": 4000}

    def start(self):
        self.server.start()
        self.follower = wire.Follower(self.server.port, "stress")
        for client in self.clients:
            client.start()

    def conclude(self):
        for client in self.clients:
            client.port = None
        return kill.conclude(self.place, self.server, self.clients, self.follower)

    def confirmed(self, client):
        return sum(line["kind"] == "verdict" for line in read_journal(client.journal))

    def wait_for_work(self, seconds=30):
        """Waits until every replica gets verdicts on what it writes from now on; answers how long that took."""
        began = time.monotonic()
        for client in self.clients:
            known = len(read_journal(client.journal))

            def has_new_verdict():
                lines = read_journal(client.journal)
                edits = {line["receipt"]["edit"] for line in lines[known:] if line["kind"] == "saved"}
                return any(
                    line["kind"] == "verdict" and line["receipt"]["edit"] in edits for line in lines[known:])

            workshop.until(f"a verdict for {client.name}", seconds, has_new_verdict)
        return time.monotonic() - began


# The disk


class Disk:
    """A small disk of its own, which can be filled."""

    def __init__(self, place, mebibytes):
        self.path = os.path.join(place.folder, "disk")
        os.mkdir(self.path)
        command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=700", "tmpfs", self.path]
        try:
            subprocess.run(command, capture_output=True, check=True)
        except subprocess.CalledProcessError as error:
            raise Skipped("a tmpfs cannot be mounted: " + error.stderr.decode().strip()) from error
        except OSError as error:
            raise Skipped(f"a tmpfs cannot be mounted: {error}") from error
        place.last.append(lambda: subprocess.run(["umount", "-l", self.path], capture_output=True))
        self.filler = os.path.join(self.path, "filler")

    def fill(self, leaving=0):
        """Takes what is left, but for some bytes."""
        stat = os.statvfs(self.path)
        size = max(0, stat.f_bavail * stat.f_frsize - leaving)
        with open(self.filler, "ab", buffering=0) as file:
            try:
                while size > 0:
                    size -= file.write(bytes(min(size, 4096)))
            except OSError:
                pass

    def free(self):
        os.unlink(self.filler)


class Skipped(Exception):
    pass


def skippable(test):
    def run(place):
        try:
            return test(place)
        except Skipped as reason:
            return f"SKIPPED, {reason}"

    return run


def start_on_full(program):
    """A start on a full disk works, or is refused with a line and code 2. Answers which."""
    program.spawn()
    try:
        program.wait_ready(20)
        return "starts"
    except Failure:
        if program.process.poll() != 2:
            raise
        return "refuses to start"


def full_disk_of_a_replica(storage, options):
    def run(place):
        scene = Scene(place, options, storage, storage)
        disk = Disk(place, 16)
        client = scene.clients[0]
        client.store = os.path.join(disk.path, "c1." + storage)
        scene.start()
        scene.wait_for_work()
        notes = []
        for kills in (False, True):
            known = len(read_journal(client.journal))
            disk.fill(leaving=64 << 10)

            def reports():
                new = read_journal(client.journal)[known:]
                return any(line.get("storageError") for line in new) and any(
                    line["kind"] == "unsaved" for line in new)

            workshop.until("the replica's error", 60, reports)
            disk.fill()
            time.sleep(1)
            if kills:
                client.kill()
                notes.append(start_on_full(client))
                if client.process.poll() is None:
                    time.sleep(0.5)
            disk.free()
            if client.process.poll() is not None:
                client.start()
            recovery = scene.wait_for_work()
            notes.append(f"recovers in {recovery:.1f} s")
        messages = {line["storageError"] for line in read_journal(client.journal) if line.get("storageError")}
        return f"{', '.join(notes)}; says {sorted(messages)}; {scene.conclude()}"

    return skippable(run)


def full_disk_of_the_server(storage, options):
    def run(place):
        scene = Scene(place, options, storage, storage)
        disk = Disk(place, 16)
        scene.server.path = os.path.join(disk.path, "server." + storage)
        scene.start()
        scene.wait_for_work()
        notes = []
        for kills in (False, True):
            disk.fill(leaving=64 << 10)
            known = [len(read_journal(client.journal)) for client in scene.clients]

            def reports():
                return all(
                    any(line["kind"] == "status" and line.get("message") for line in read_journal(c.journal)[start:])
                    for c, start in zip(scene.clients, known))

            workshop.until("the replicas' error", 60, reports)
            disk.fill()
            time.sleep(1)
            if kills:
                scene.server.kill()
                notes.append(start_on_full(scene.server))
                time.sleep(0.5)
            disk.free()
            if scene.server.process.poll() is not None:
                scene.server.start()
            notes.append(f"recovers in {scene.wait_for_work():.1f} s")
        said = {
            line["message"] for line in read_journal(scene.clients[0].journal)
            if line["kind"] == "status" and line.get("message")
        }
        return f"{', '.join(notes)}; the replica says {sorted(said)}; {scene.conclude()}"

    return skippable(run)


# The network


def stopped_server(options):
    """One replica is as patient as an application's, the other gives up sooner."""

    def run(place):
        storages = options.storage.split(",")
        scene = Scene(place, options, storages[-1], storages[0])
        scene.clients[0].options["patience"] = 5
        scene.clients[1].options["patience"] = 60
        scene.start()
        scene.wait_for_work()
        scene.server.send(signal.SIGSTOP)
        known = len(read_journal(scene.clients[0].journal))
        time.sleep(options.stop)
        lines = read_journal(scene.clients[0].journal)[known:]
        if options.stop > 10 and not any(line["kind"] == "status" and line.get("message") for line in lines):
            raise Failure("the replica did not say that the server is silent")
        saved = sum(line["kind"] == "saved" for line in lines)
        if saved < options.stop:
            raise Failure(f"only {saved} swaps were saved while the server was stopped")
        scene.server.send(signal.SIGCONT)
        recovery = scene.wait_for_work()
        return f"stopped for {options.stop} s, recovers in {recovery:.1f} s; {scene.conclude()}"

    return run


def bad_network(mode, seconds, options):
    def run(place):
        storages = options.storage.split(",")
        scene = Scene(place, options, storages[0], storages[-1])
        proxy = Proxy(scene.server, options.seed)
        place.last.append(proxy.close)
        for client in scene.clients:
            client.port = proxy.port
            client.options["patience"] = 2
        scene.start()
        scene.wait_for_work()
        before = [scene.confirmed(client) for client in scene.clients]
        proxy.mode = mode
        time.sleep(seconds)
        after = [scene.confirmed(client) for client in scene.clients]
        proxy.mode = PASS
        recovery = scene.wait_for_work()
        if mode == CUT and proxy.cuts < seconds:
            raise Failure(f"the proxy had only {proxy.cuts} connections to cut")
        told = sum(after) - sum(before)
        return (
            f"{seconds} s, {proxy.cuts} cuts, {proxy.swallowed} bytes swallowed, {told} verdicts meanwhile,"
            f" recovers in {recovery:.1f} s; {scene.conclude()}")

    return run


def main():
    parser = workshop.parser(__doc__)
    parser.add_argument("--stop", type=float, default=60, help="how many seconds the server is stopped")
    parser.add_argument("--bad", type=float, default=20, help="how many seconds the network is bad")
    parser.add_argument("--rate", type=int, default=40, help="swaps a second of each replica")
    parser.add_argument("--only", default="", help="a word in the names of the wanted tests")
    options = parser.parse_args()
    tests = []
    for storage in options.storage.split(","):
        tests.append((f"full disk of a replica, {storage}", 300, full_disk_of_a_replica(storage, options)))
        tests.append((f"full disk of the server, {storage}", 300, full_disk_of_the_server(storage, options)))
    tests.append(("server stopped", options.stop + 300, stopped_server(options)))
    tests.append(("connections cut", options.bad + 300, bad_network(CUT, options.bad, options)))
    tests.append(("half-open, nothing passes", options.bad + 300, bad_network(SWALLOW, options.bad, options)))
    tests.append(("half-open, no answer passes", options.bad + 300, bad_network(DEAF, options.bad, options)))
    workshop.main(options, [test for test in tests if options.only in test[0]])


if __name__ == "__main__":
    main()
