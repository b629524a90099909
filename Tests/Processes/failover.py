"""Two servers on a PostgreSQL primary; its standby, which misses the last commits, takes its place.

The servers have to go on by themselves. Who had seen what is gone now is reset and shows what there is; who had not is not
disturbed; what is pushed once more is accepted; nothing that the standby had is lost.
"""

import os
import signal
import subprocess
import uuid

import postgres
import wire
import workshop
from programs import Failure, Server, die_with_parent


def push(servers, number, name, client, version=0, patience=30):
    """Tries the servers in turn until one answers with verdicts."""
    answers = []

    def is_done():
        port = servers[len(answers) % len(servers)].port
        try:
            answers.append(wire.push(port, "g", client, number, [(name, version, f"{name} {number}")], timeout=20))
        except OSError as error:
            answers.append((0, error))
        return answers[-1][0] == 200

    waited = workshop.until(f"a push of {name}", patience, is_done, pause=0.1)
    return answers[-1][1], waited


def test(options):
    def run(place):
        primary = postgres.Postgres(place)
        standby = postgres.Standby(place, primary)
        url = f"postgres://postgres@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/postgres"
        servers = []
        for number in range(2):
            server = place.add(Server(options.programs, "postgres", place.folder, url))
            server.log = os.path.join(place.folder, f"server{number}.log")
            server.start()
            servers.append(server)
        client = str(uuid.uuid4())
        push(servers, 1, "kept", client)
        standby.catch_up()
        content, ahead = wire.Follower(servers[0].port, "g"), wire.Follower(servers[1].port, "g")
        content.pull()
        standby.halt()
        lost, _ = push(servers, 2, "lost", client)
        ahead.pull()
        if "lost" not in ahead.documents or lost["rejected"]:
            raise Failure(f"the last push before the failover came to {lost}")
        primary.kill_for_good()
        standby.promote()
        # By the same client, as its replica would go on.
        answer, waited = push(servers, 3, "later", client)
        if [row["id"] for row in answer["accepted"]] != ["later"]:
            raise Failure(f"the first push after the failover came to {answer}")
        again, _ = push(servers, 4, "lost", client)
        if [row["id"] for row in again["accepted"]] != ["lost"]:
            raise Failure(f"what was lost and is pushed again came to {again}")
        for follower, resets in ((content, 0), (ahead, 1)):
            before = len(follower.problems)
            # It starts anew, as a replica does: versions of two histories are not compared.
            if resets:
                follower.documents, follower.history, follower.date = {}, {}, 0
            follower.pull()
            found = [problem for problem in follower.problems[before:] if "forgot the cursor" in problem]
            if len(found) != resets or len(follower.problems) - before != resets:
                raise Failure(f"a follower that was to be reset {resets} times says {follower.problems}")
            values = {name: value for name, (_, value) in follower.documents.items()}
            if values != {"kept": "kept 1", "later": "later 3", "lost": "lost 4"}:
                raise Failure(f"a follower has {values}")
        for server in servers:
            server.end()
        verified = subprocess.run(
            [os.path.join(options.programs, "atomsync-server"), "verify", "--storage", "postgres", "--path", url],
            capture_output=True, text=True, preexec_fn=die_with_parent)
        if verified.returncode != 0:
            raise Failure(f"verify ended with {verified.returncode}: {verified.stdout} {verified.stderr}")
        return f"the first push was accepted {waited:.2f} s after the standby was promoted"

    return run


def main():
    options = workshop.parser(__doc__).parse_args()
    workshop.main(options, [("a failover that loses a commit", 120, test(options))])


if __name__ == "__main__":
    main()
