"""Kills replicas and their server with kill -9 at random moments under load, and looks for a lost write.

Two replicas change documents at a rate, against one server. Each round lets them work for a moment,
kills one, two or all three, sometimes again while they start, and starts them. In the end the replicas are drained,
and the oracle compares what they had acknowledged, what they hold and what the server has.
"""

import os
import shutil
import time

import wire
import workshop
from oracle import Oracle
from programs import Client, Failure, Server

VICTIMS = [["server"], ["c1"], ["c2"], ["c1", "c2"], ["server", "c1"], ["c2", "server"], ["c1", "server", "c2"]]
POLICIES = ["server", "server", "local", "merge"]


def round_of_kills(place, programs, options, victims=None):
    """One round; answers the programs that were killed: one of VICTIMS, or some of these."""
    random = place.random
    time.sleep(random.uniform(options.shortest, options.longest))
    names = random.sample(victims, random.randint(1, len(victims) - 1)) if victims else list(random.choice(VICTIMS))
    random.shuffle(names)
    for name in names:
        programs[name].kill()
        if random.random() < 0.3:
            time.sleep(random.uniform(0, 0.03))
    random.shuffle(names)
    for name in names:
        program = programs[name]
        if name != "server":
            program.options["policy"] = random.choice(POLICIES)
        program.spawn()
        if random.random() < 0.2:  # and once more, while it starts
            time.sleep(random.uniform(0, 0.08))
            program.kill()
            program.spawn()
        if random.random() < 0.3:
            time.sleep(random.uniform(0, 0.03))
    for name in names:
        programs[name].wait_ready()
    return names


def test(storage, options):
    def run(place):
        server = place.add(Server(options.programs, storage, place.folder))
        server.start()
        clients = [Client(options.programs, name, storage, place.folder, server) for name in ("c1", "c2")]
        for client in clients:
            client.options = {"rate": options.rate, "seconds": 3600, "seed": options.seed}
            place.add(client).start()
        programs = {"server": server, "c1": clients[0], "c2": clients[1]}
        follower = wire.Follower(server.port, "stress")
        for number in range(1, options.rounds + 1):
            killed = round_of_kills(place, programs, options)
            if "server" in killed:
                follower.pull()
            if options.sabotage and number in (options.rounds // 3, options.rounds * 2 // 3):
                sabotage(programs[options.sabotage], is_before=number < options.rounds // 2)
            if number % 50 == 0:
                print(f"  {storage}: round {number}, {len(follower.documents)} documents", flush=True)
        return conclude(place, server, clients, follower)

    return run


def sabotage(program, is_before):
    """Keeps a copy of a store, and later puts it back, as a store would that loses commits."""
    path = program.path if program.name == "server" else program.store
    program.kill()
    copies = [(name, name + ".copy") for name in (path, path + "-wal") if os.path.exists(name)]
    for name, copy in copies:
        source, target = (name, copy) if is_before else (copy, name)
        if os.path.isdir(source):
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target)
        elif os.path.exists(source):
            shutil.copy(source, target)
    program.start()


def conclude(place, server, clients, follower):
    """Kills the replicas once more, drains them, and asks the oracle."""
    for client in clients:
        client.kill()
    for client in clients + clients:  # twice, so that each hears of what the others had pending
        client.drain()
    follower.pull()
    oracle = Oracle(follower, wire.everything(server.port, "stress"))
    for client in clients:
        oracle.add(client)
    problems = oracle.finish()
    if problems:
        shown = "\n    ".join(problems[:20])
        raise Failure(f"{len(problems)} problems:\n    {shown}")
    counts = oracle.counts
    kills = ", ".join(f"{program.name} {program.kills}" for program in [server] + clients)
    return (
        f"kills: {kills}; swaps: {counts['made']} made, {counts['acknowledged']} acknowledged; their documents:"
        f" {counts['accepted']} accepted, {counts['superseded']} superseded; {counts['conflicts']} conflicts;"
        f" {len(follower.documents)} documents on the server; slowest start {server.slowest:.2f} s (server),"
        f" {max(client.slowest for client in clients):.2f} s (replica)")


def parser(text, shortest, longest):
    """The options of tests that kill; by default so many seconds are between two kills."""
    made = workshop.parser(text)
    made.add_argument("--rate", type=int, default=40, help="swaps a second of each replica")
    made.add_argument("--shortest", type=float, default=shortest, help="the shortest time between kills in seconds")
    made.add_argument("--longest", type=float, default=longest)
    return made


def main():
    known = parser(__doc__, shortest=0.02, longest=0.2)
    known.add_argument("--rounds", type=int, default=200)
    known.add_argument(
        "--sabotage", choices=["server", "c1"], help="put back an old copy of this store: the oracle has to notice")
    options = known.parse_args()
    limit = 300 + options.rounds * 10
    workshop.main(
        options,
        [
            (f"kill -9, {storage}, {options.rounds} rounds", limit, test(storage, options))
            for storage in options.storage.split(",")
        ])


if __name__ == "__main__":
    main()
