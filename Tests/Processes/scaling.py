"""Measures several servers on one PostgreSQL: how pushes grow with servers, what one hot group over two costs, how long news
take from one server to another, and what the number of documents in the store changes. wrk has to be installed."""

import os
import re
import subprocess
import threading
import time
import uuid

import plot
import postgres
import wire
import workshop
from programs import Failure, Server

PUSHES = """
local n, salt = 0, 0
function init(args) math.randomseed(os.time() + tonumber(args[1])); salt = math.random(1, 1e9) end
request = function()
  n = n + 1
  local body = '["^ ","~:group","' .. (%s) .. '","~:docs",[["^ ","~:id","' .. salt .. '-' .. n ..
    '","~:version",0,"~:value","some text of a document"]]]'
  return wrk.format("POST", nil, {["Content-Type"] = "application/transit+json"}, body)
end
"""


def rate(place, servers, group, seconds, connections=64):
    """Pushes a second that all servers together accept; `group` is a Lua expression."""
    running = []
    for number, server in enumerate(servers):
        path = os.path.join(place.folder, f"push{number}.lua")
        with open(path, "w") as script:
            script.write(PUSHES % group.replace("SERVER", str(number)))
        running.append(subprocess.Popen(
            ["wrk", "-t1", f"-c{connections // len(servers)}", f"-d{seconds}", "-s", path,
             f"http://127.0.0.1:{server.port}/sync", "--", str(number)], stdout=subprocess.PIPE, text=True))
    total = 0.0
    for process in running:
        said, _ = process.communicate()
        if "Non-2xx" in said:
            raise Failure(f"some pushes were refused: {said}")
        total += float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1))
    return total


def latencies(servers, count):
    """Milliseconds from a push to one server until a reader at another has it."""
    follower, found, is_over = wire.Follower(servers[-1].port, "news"), {}, threading.Event()
    take = follower.take

    def note(name, version, value):
        found[name] = time.monotonic()
        take(name, version, value)

    follower.take = note

    def read():
        while not is_over.is_set():
            wire.follow(follower.port, follower, is_over.is_set)

    client = str(uuid.uuid4())
    wire.push(servers[0].port, "news", client, 1, [("first", 0, "x")])
    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    workshop.until("the first news", 10, lambda: "first" in found, pause=0.01)
    samples = []
    for number in range(count):
        name = f"n{number}"
        began = time.monotonic()
        wire.push(servers[0].port, "news", client, number + 2, [(name, 0, "x")])
        workshop.until("news", 10, lambda: name in found, pause=0.0005)
        samples.append((found[name] - began) * 1000)
        time.sleep(0.01)  # single writes, as people make them
    is_over.set()
    samples.sort()
    return samples[len(samples) // 2], samples[int(len(samples) * 0.99)]


def test(options):
    def run(place):
        database = postgres.Postgres(place)
        servers = []
        for number in range(3):
            server = place.add(Server(options.programs, "postgres", place.folder, database.url))
            server.log = os.path.join(place.folder, f"server{number}.log")
            server.start()
            servers.append(server)
        lines = []
        own = "'own' .. SERVER .. '-' .. (n % 16)"
        rate(place, servers[:1], own, 2)  # what is cold
        owns, hots, sizes = [], [], []
        for count in (1, 2, 3):
            owns.append(rate(place, servers[:count], own, options.seconds))
            lines.append(f"{count} servers, groups of their own: {owns[-1]:.0f}/s")
        for count in (1, 2, 3):
            hots.append(rate(place, servers[:count], "'hot'", options.seconds))
            lines.append(f"{count} servers, one hot group: {hots[-1]:.0f}/s")
        median, p99 = latencies(servers[:2], options.samples)
        lines.append(f"from a push at one server to a reader at another: median {median:.1f} ms, p99 {p99:.1f} ms")
        documents = 0
        for goal in (1_000, 10_000, 100_000, 1_000_000):
            if goal > options.documents:
                break
            documents = fill(servers[0], documents, goal)
            sizes.append((f"{goal:,}", rate(place, servers[:1], "'grows'", options.seconds)))
            lines.append(f"{goal} documents more in one group: {sizes[-1][1]:.0f}/s")
        if options.plot:
            plot.chart(options.plot, [
                ("Pushes a second, by servers", "servers", ["1", "2", "3"], {"groups of their own": owns, "one hot group": hots}),
                ("Pushes a second, by documents", "documents in the group", [name for name, _ in sizes], {"one server": [each for _, each in sizes]}),
            ])
        return "\n    " + "\n    ".join(lines)

    return run


def fill(server, done, goal):
    client, number = str(uuid.uuid4()), 0
    while done < goal:
        some = range(done, min(done + 1000, goal))
        number += 1
        status, answer = wire.push(server.port, "grows", client, number, [(f"d{each}", 0, "some text of a document") for each in some], 60)
        if status != 200:
            raise Failure(f"a push was answered with {status}: {answer}")
        done = some[-1] + 1
    return done


def main():
    parser = workshop.parser(__doc__)
    parser.add_argument("--seconds", type=int, default=5, help="for each rate")
    parser.add_argument("--samples", type=int, default=300, help="of the latency")
    parser.add_argument("--documents", type=int, default=100_000, help="in the largest store")
    parser.add_argument("--plot", help="the file of a plot")
    options = parser.parse_args()
    workshop.main(options, [("servers on one PostgreSQL", 3600, test(options))])


if __name__ == "__main__":
    main()
