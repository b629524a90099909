"""A PostgreSQL of the test's own, and what may happen to it."""

import glob
import os
import signal
import subprocess
import time

import programs
import proxy
import workshop

CLUSTER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Postgres", "cluster.sh")


class Postgres:
    def __init__(self, place):
        # Of root, PostgreSQL runs as another user, who has to come through.
        os.chmod(place.folder, 0o755)
        self.folder = os.path.join(place.folder, "postgres")
        self.port = programs.free_port()
        self.url = self.start()
        self.kills = 0
        self.proxies = []
        place.last.append(self.end)

    def start(self):
        made = subprocess.run([CLUSTER, "start", self.folder, str(self.port)], capture_output=True, text=True)
        if made.returncode != 0:
            raise programs.Failure(f"PostgreSQL does not start: {made.stderr[-500:]}")
        return made.stdout.strip()

    def end(self):
        for each in self.proxies:
            each.close()
        subprocess.run([CLUSTER, "stop", self.folder], capture_output=True)

    def behind_proxy(self, seed):
        """The URL by a proxy of its own."""
        made = proxy.Proxy(self, seed)
        made.longest = 2000
        self.proxies.append(made)
        return self.url.replace(f":{self.port}/", f":{made.port}/")

    # What may happen to it

    def pids(self):
        """The postmaster's, and those of its sessions."""
        with open(os.path.join(self.folder, "data", "postmaster.pid")) as file:
            postmaster = int(file.readline())
        sessions = []
        for path in glob.glob(f"/proc/{postmaster}/task/*/children"):
            with open(path) as file:
                children = file.read().split()
            for child in children:
                try:
                    with open(f"/proc/{child}/cmdline") as file:
                        if b"127.0.0.1" in file.read().encode():
                            sessions.append(int(child))
                except OSError:
                    pass
        return postmaster, sessions

    def kill_for_good(self):
        postmaster, sessions = self.pids()
        for pid in [postmaster, *sessions]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def kill_session(self, random):
        """kill -9 of a session: the others end as well, and PostgreSQL recovers."""
        _, sessions = self.pids()
        if sessions:
            os.kill(random.choice(sessions), signal.SIGKILL)
            self.kills += 1
            self.wait()

    def kill_all(self):
        """kill -9 of PostgreSQL as a whole."""
        self.kill_for_good()
        self.kills += 1
        # Its memory is free once the last of its processes is gone.
        deadline = time.monotonic() + 60
        while True:
            try:
                self.start()
                return self.wait()
            except programs.Failure:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def end_sessions(self):
        subprocess.run(
            ["psql", "-qAt", "-d", self.url, "-c",
             "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'atomsync'"],
            capture_output=True)

    def cut(self, seconds, wait):
        """Ends connections in the middle of what is being answered."""
        for each in self.proxies:
            each.mode = proxy.CUT
        wait(seconds)
        for each in self.proxies:
            each.mode = proxy.PASS

    def wait(self):
        deadline = time.monotonic() + 60
        while subprocess.run(["psql", "-qAt", "-d", self.url, "-c", "SELECT 1"], capture_output=True).returncode != 0:
            if time.monotonic() > deadline:
                raise programs.Failure("PostgreSQL does not come back")
            time.sleep(0.1)


class Standby:
    """Follows a primary, until it takes its place."""

    def __init__(self, place, primary):
        self.primary = primary
        self.folder = os.path.join(place.folder, "standby")
        self.port = programs.free_port()
        made = subprocess.run(
            [CLUSTER, "follow", self.folder, str(self.port), str(primary.port)], capture_output=True, text=True)
        if made.returncode != 0:
            raise programs.Failure(f"the standby does not start: {made.stderr[-500:]}")
        self.url = made.stdout.strip()
        place.last.append(self.end)

    def ask(self, url, query):
        return subprocess.run(["psql", "-qAt", "-d", url, "-c", query], capture_output=True, text=True).stdout.strip()

    def catch_up(self):
        """Waits until it has everything that the primary has committed."""
        place = self.ask(self.primary.url, "SELECT pg_current_wal_lsn()")
        workshop.until(
            "the standby", 30, lambda: self.ask(self.url, f"SELECT pg_last_wal_replay_lsn() >= '{place}'") == "t")

    def halt(self):
        """From now on it receives nothing."""
        self.ask(self.url, "ALTER SYSTEM SET primary_conninfo = ''")
        self.ask(self.url, "SELECT pg_reload_conf()")
        workshop.until(
            "the end of what it receives", 30,
            lambda: self.ask(self.url, "SELECT count(*) FROM pg_stat_wal_receiver") == "0")

    def promote(self):
        subprocess.run([CLUSTER, "promote", self.folder], check=True, capture_output=True)

    def end(self):
        subprocess.run([CLUSTER, "stop", self.folder], capture_output=True)
