"""The frame of each script: arguments, a folder that goes away, an end for everything that was started."""

import argparse
import contextlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback

import programs


def parser(text):
    made = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--storage", default="sqlite,lmdb", help="which storages, for client and server alike")
    made.add_argument("--seed", type=int, default=1, help="what all choices begin with")
    made.add_argument("--keep", action="store_true", help="keep the folder, as after a failure")
    made.add_argument(
        "--programs", default=os.environ.get("PROGRAMS", ""), help="the folder of the programs under test")
    return made


def interrupted(number, frame):
    raise KeyboardInterrupt


def late(number, frame):
    raise programs.Failure("it took too long")


class Workshop:
    """A folder, and the programs that run in it."""

    def __init__(self, arguments, title):
        self.arguments, self.title = arguments, title
        self.random = random.Random(f"{arguments.seed} {title}")
        self.folder = tempfile.mkdtemp(prefix="atomsync-test-")
        self.started = []
        self.last = []  # what to do in the end, the last first

    def add(self, program):
        self.started.append(program)
        return program

    def close(self, keeps):
        for program in self.started:
            program.end()
        for action in reversed(self.last):
            action()
        if keeps or self.arguments.keep:
            print(f"  kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def workshop(arguments, title, limit):
    """Everything in it ends with it, and it ends within `limit` seconds."""
    place = Workshop(arguments, title)
    signal.signal(signal.SIGALRM, late)
    signal.alarm(int(limit))
    failed = True
    try:
        yield place
        failed = False
    finally:
        signal.alarm(0)
        place.close(keeps=failed)


def main(arguments, tests):
    """Runs named tests; ends with 1 if one fails."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    if not os.access(os.path.join(arguments.programs, "atomsync-server"), os.X_OK):
        sys.exit("Name the folder of atomsync-server and AtomsyncStress with --programs, or run the .sh script.")
    failures = 0
    for title, limit, test in tests:
        began = time.monotonic()
        try:
            with workshop(arguments, title, limit) as place:
                summary = test(place)
            print(f"ok      {title}: {summary}, {time.monotonic() - began:.1f} s", flush=True)
        except programs.Failure as failure:
            failures += 1
            print(f"FAILED  {title} (seed {arguments.seed}): {failure}", flush=True)
        except Exception:
            failures += 1
            print(f"FAILED  {title} (seed {arguments.seed}): {traceback.format_exc()}", flush=True)
    sys.exit(1 if failures else 0)


def until(what, limit, check, pause=0.05):
    """Waits until `check` is true; answers how long it took."""
    began = time.monotonic()
    while not check():
        if time.monotonic() - began > limit:
            raise programs.Failure(f"{what} did not happen within {limit} s")
        time.sleep(pause)
    return time.monotonic() - began
