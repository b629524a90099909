"""Kills the server with kill -9 in the middle of 1,000 pushes, several times, and sends what is in doubt again.

Several clients push, each with its own number for every push: a document of its own for that push, and one that counts
the client's pushes. Every push that was answered must be there; one that was not is sent again with the same number
until it is answered, gets one verdict, and is applied once.
"""

import http.client
import threading
import time
import uuid

import wire
import workshop
from programs import Failure, Server

GROUP = "pushes"


class Pusher(threading.Thread):
    """A client that pushes, and pushes again what it has no answer to."""

    def __init__(self, number, count, server, stop):
        super().__init__(daemon=True)
        self.number, self.count, self.server, self.stop = number, count, server, stop
        self.client = str(uuid.UUID(int=(server.seed << 64) + number + 1, version=4))
        self.answers = []
        self.in_doubt = 0
        self.problem = None

    def run(self):
        try:
            for number in range(1, self.count + 1):
                self.answers.append(self.push(number))
        except Exception as error:
            self.problem = f"client {self.number}: {error!r}"

    def documents(self, number):
        return [
            (f"push:{self.number}:{number}", 0, f"value {number}"),
            (f"count:{self.number}", number - 1, f"count {number}"),
        ]

    def push(self, number):
        was_in_doubt = False
        while not self.stop.is_set():
            try:
                status, answer = wire.push(
                    self.server.port, GROUP, self.client, number, self.documents(number), timeout=30)
            except (OSError, http.client.HTTPException, ValueError):
                self.in_doubt += not was_in_doubt
                was_in_doubt = True
                time.sleep(0.01)
                continue
            if status != 200:
                raise Failure(f"push {number} was answered with {status}: {answer}")
            if [row["version"] for row in answer["accepted"]] != [1, number] or answer["rejected"]:
                raise Failure(f"push {number} got the verdict {answer}")
            return answer
        raise Failure(f"push {number} was never answered")


def test(storage, options):
    def run(place):
        server = place.add(Server(options.programs, storage, place.folder))
        server.seed = options.seed
        server.start()
        stop = threading.Event()
        place.last.append(stop.set)
        pushers = [
            Pusher(number, options.pushes // options.clients, server, stop) for number in range(options.clients)
        ]
        for pusher in pushers:
            pusher.start()
        total = sum(pusher.count for pusher in pushers)
        for kill in range(options.kills):
            # A point in the middle, and a random moment after it.
            point = total * (kill + 1) // (options.kills + 1)
            workshop.until(
                f"push {point}", 120, lambda: answered(pushers) >= point or failed(pushers), pause=0.001)
            time.sleep(place.random.uniform(0, 0.005))
            promised = [len(pusher.answers) for pusher in pushers]
            server.kill()
            server.start()
            check(pushers, promised, wire.everything(server.port, GROUP))
        for pusher in pushers:
            pusher.join(120)
        problem = failed(pushers)
        if problem or answered(pushers) != total:
            raise Failure(problem or f"{answered(pushers)} of {total} pushes were answered")
        repeat(pushers)
        documents = wire.everything(server.port, GROUP)
        check(pushers, [pusher.count for pusher in pushers], documents)
        if len(documents) != total + len(pushers):
            raise Failure(f"there are {len(documents)} documents instead of {total + len(pushers)}")
        doubts = sum(pusher.in_doubt for pusher in pushers)
        return (
            f"{total} pushes of {len(pushers)} clients, {server.kills} kills, {doubts} pushes in doubt,"
            f" each applied once; slowest start {server.slowest:.2f} s")

    return run


def answered(pushers):
    return sum(len(pusher.answers) for pusher in pushers)


def failed(pushers):
    return next((pusher.problem for pusher in pushers if pusher.problem), None)


def check(pushers, promised, documents):
    """Everything up to the last answered push is there, once."""
    for pusher, count in zip(pushers, promised):
        for number in range(1, count + 1):
            found = documents.get(f"push:{pusher.number}:{number}")
            if found != (1, f"value {number}"):
                raise Failure(f"LOST: push {number} of client {pusher.number} was answered; there is {found}")
        version, value = documents.get(f"count:{pusher.number}", (0, None))
        if version < count or (version > 0 and value != f"count {version}"):
            raise Failure(f"client {pusher.number} counts {count} pushes, the server {version} with {value}")


def repeat(pushers):
    """The last push once more: the same verdict, and nothing happens. An older one: its number was used."""
    for pusher in pushers:
        again = pusher.push(pusher.count)
        first = pusher.answers[-1]
        if (again["accepted"], again["rejected"]) != (first["accepted"], first["rejected"]):
            raise Failure(f"the same push got the verdict {first}, then {again}")
        status, answer = wire.push(
            pusher.server.port, GROUP, pusher.client, pusher.count - 1, pusher.documents(pusher.count - 1))
        if (status, answer.get("error")) != (409, "~:stale-push"):
            raise Failure(f"an old push was answered with {status}: {answer}")


def main():
    parser = workshop.parser(__doc__)
    parser.add_argument("--pushes", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--kills", type=int, default=5)
    options = parser.parse_args()
    workshop.main(
        options,
        [
            (f"pushes, {storage}", 600, test(storage, options))
            for storage in options.storage.split(",")
        ])


if __name__ == "__main__":
    main()
