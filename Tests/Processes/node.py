"""Kills replicas in JavaScript and in Swift, and their server, with kill -9 under load, cuts the connections of one, and looks for a
lost write: the oracle is that of kill.py.
"""

import os
import time

import kill
import proxy
import wire
import workshop
from programs import Client, Server

STRESS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Browser", "stress.mjs")
MODES = [proxy.PASS, proxy.PASS, proxy.CUT, proxy.SWALLOW, proxy.DEAF]


class NodeClient(Client):
    def arguments(self, mode):
        return ["node", STRESS, *super().arguments(mode)[1:]]


def test(storage, options):
    def run(place):
        server = place.add(Server(options.programs, storage, place.folder))
        server.start()
        bad = proxy.Proxy(server, options.seed)
        place.last.append(bad.close)
        clients = [
            Client(options.programs, "c1", storage, place.folder, server),
            NodeClient(options.programs, "n1", "js", place.folder, server),
            NodeClient(options.programs, "n2", "js", place.folder, server),
        ]
        clients[2].port = bad.port
        programs = {program.name: program for program in [server, *clients]}
        for client in clients:
            client.options = {"rate": options.rate, "seconds": 36000, "seed": options.seed}
            place.add(client).start()
        follower = wire.Follower(server.port, "stress")
        end = time.monotonic() + options.seconds
        rounds = 0
        while time.monotonic() < end:
            rounds += 1
            bad.mode = place.random.choice(MODES)
            if "server" in kill.round_of_kills(place, programs, options, victims=list(programs)):
                follower.pull()
            if rounds % 100 == 0:
                print(f"  round {rounds}, {len(follower.documents)} documents", flush=True)
        bad.mode = proxy.PASS
        clients[2].port = None
        return f"{rounds} rounds, {bad.cuts} cuts; " + kill.conclude(place, server, clients, follower)

    return run


def main():
    known = kill.parser(__doc__, shortest=0.05, longest=1.5)
    known.add_argument("--seconds", type=float, default=60)
    options = known.parse_args()
    workshop.main(
        options,
        [(f"replicas in JavaScript, {storage}", options.seconds + 600, test(storage, options)) for storage in options.storage.split(",")])


if __name__ == "__main__":
    main()
