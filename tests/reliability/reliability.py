#!/usr/bin/env python3
"""What a batch survives: kills, power cuts, full disks, other processes, hostile files.

Each check makes its own clips, runs the program, and compares what it finds with an undisturbed
run. It prints one line of figures and exits 1 if a promise was broken. `--help` after a check.
"""
import argparse
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

JOURNAL = ".qingyin-batch.sqlite"


class Broken(Exception):
    """A promise that was not kept."""


class Unusable(Exception):
    """The check itself could not be set up: nothing is learnt from it."""


def require(is_ok, what, kind=Broken):
    if not is_ok:
        raise kind(what)


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments], check=True)


def make_clips(folder, count, seconds=0.6):
    """Tiny clips whose bytes all differ."""
    os.makedirs(folder, exist_ok=True)
    for number in range(count):
        ffmpeg("-f", "lavfi", "-i", f"testsrc2=s=64x48:r=10:d={seconds + 0.1 * (number % 4)}",
               "-metadata", f"title=clip {number}", "-c:v", "mpeg4",
               os.path.join(folder, f"clip{number:03d}.mp4"))


class Bench:
    """A folder with clips in `in`, and the program under test."""

    def __init__(self, options, clips):
        self.program = os.path.abspath(options.program)
        self.shim = os.path.abspath(options.shim)
        self.root = tempfile.mkdtemp(prefix="qingyin-reliability.")
        self.flags = ["--threads", "1", "-q"]
        make_clips(os.path.join(self.root, "in"), clips)

    def close(self):
        shutil.rmtree(self.root, ignore_errors=True)

    def out(self, name="out"):
        return os.path.join(self.root, name)

    def start(self, faults=None, more=()):
        environment = dict(os.environ)
        if faults is not None:
            environment["LD_PRELOAD"] = self.shim
            environment["QINGYIN_FAULT_FOLDER"] = self.out() + "/"
            environment.update({f"QINGYIN_FAULT_{key}": str(value) for key, value in faults.items()})
        return subprocess.Popen(
            [self.program, "batch", "in", "-o", "out", "--json", *self.flags, *more],
            cwd=self.root, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)

    def run(self, faults=None, more=()):
        process = self.start(faults, more)
        text, error = process.communicate(timeout=900)
        summary = json.loads(text) if process.returncode >= 0 and text else None
        return process.returncode, summary, error

    def reset(self):
        shutil.rmtree(self.out(), ignore_errors=True)


def normal_report(data):
    """A report without what differs from run to run: times and memory."""
    report = json.loads(data)
    report.pop("timings_s")
    report.pop("peak_memory_bytes")
    return json.dumps(report, sort_keys=True).encode()


def tree(folder):
    """Every file below a folder, except the journal: name -> digest. Temporary files too."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            if name.startswith(JOURNAL):
                continue
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                data = file.read()
            if name.endswith(".report.json"):
                try:
                    data = normal_report(data)
                except (ValueError, KeyError):
                    data = b"unreadable report: " + data
            found[os.path.relpath(path, folder)] = hashlib.sha256(data).hexdigest()
    return found


def is_temporary(name):
    return os.path.basename(name).startswith(".")


def journal_rows(folder):
    """slot -> (state, token, outputs), read from a copy: the look changes nothing."""
    if not os.path.exists(os.path.join(folder, JOURNAL)):
        return {}
    with tempfile.TemporaryDirectory() as copy:
        for end in ("", "-wal"):
            if os.path.exists(os.path.join(folder, JOURNAL + end)):
                shutil.copy(os.path.join(folder, JOURNAL + end), os.path.join(copy, JOURNAL + end))
        database = sqlite3.connect(os.path.join(copy, JOURNAL))
        try:
            rows = database.execute("SELECT slot, state, token FROM items").fetchall()
            outputs = database.execute("SELECT slot, path FROM outputs").fetchall()
        except sqlite3.OperationalError:
            return {}  # killed before its tables were made
        finally:
            database.close()
    files = {}
    for slot, path in outputs:
        files.setdefault(slot, []).append(os.fsdecode(path))
    return {slot: (state, token, files.get(slot, [])) for slot, state, token in rows}


class Invariants:
    """What holds after every disturbance, compared with an undisturbed tree."""

    def __init__(self, reference):
        self.reference = reference
        self.done = {}  # slot -> token: an item that is done is not made again

    def check(self, folder, while_killed=True):
        found = tree(folder)
        for name, digest in found.items():
            if is_temporary(name):
                require(while_killed, f"a temporary file was left: {name}")
                continue
            require(name in self.reference, f"a file that no run makes: {name}")
            require(digest == self.reference[name], f"not whole under its final name: {name}")
        for slot, (state, token, outputs) in journal_rows(folder).items():
            if state == "done":
                require(outputs, f"done without files: {slot!r}")
                for path in outputs:
                    require(path in found, f"done, and its file is not there: {path}")
                require(self.done.setdefault(slot, token) == token, f"made twice: {slot!r}")
            else:
                require(slot not in self.done, f"lost: {slot!r} was done and is {state}")
        return found

    def check_end(self, folder):
        require(self.check(folder, while_killed=False) == self.reference,
                "the final tree differs from that of an undisturbed run")
        states = {row[0] for row in journal_rows(folder).values()}
        require(states == {"done"}, f"not everything is done: {states}")


def undisturbed(bench):
    """The tree that every disturbed run has to end with, and how long it takes, in seconds."""
    begin = time.monotonic()
    code, _, error = bench.run()
    require(code == 0, f"an undisturbed run ends with {code}: {error}", Unusable)
    reference = tree(bench.out())
    bench.reset()
    return reference, time.monotonic() - begin


def complete(bench, invariants):
    code, _, error = bench.run()
    require(code == 0, f"the run after a disturbance ends with {code}: {error}")
    invariants.check_end(bench.out())


def count_calls(bench):
    """Calls of an undisturbed run that change the disk, and those among them that write."""
    count_file = os.path.join(bench.root, "count")
    bench.reset()
    code, _, error = bench.run({"COUNT": count_file})
    require(code == 0, f"the counted run ends with {code}: {error}", Unusable)
    with open(count_file) as file:
        changes, writes = map(int, file.read().split())
    return changes, writes


def kills(options):
    """SIGKILL at random moments, then on to the end."""
    bench = Bench(options, options.clips)
    bench.flags += ["--stems", "--timeline"]
    reference, span_s = undisturbed(bench)
    random.seed(options.seed)
    done, rounds = 0, 0
    while done < options.count:
        rounds += 1
        bench.reset()
        invariants = Invariants(reference)
        while done < options.count:
            process = bench.start()
            try:
                process.communicate(timeout=random.uniform(0.05, span_s * options.span))
                require(process.returncode == 0, f"a run ends with {process.returncode}")
                break
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                done += 1
                if os.path.isdir(bench.out()):
                    invariants.check(bench.out())
        complete(bench, invariants)
    bench.close()
    return (f"{done} kills over {options.clips} clips in {rounds} batches: 0 lost, 0 made twice, "
            f"0 partial files, {rounds} of {rounds} final trees as undisturbed")


def calls(options):
    """A kill, or a power cut, after each call that writes, renames or stores."""
    bench = Bench(options, options.clips)
    bench.flags += ["--timeline", "--jobs", "1"]
    reference, _ = undisturbed(bench)
    total, _ = count_calls(bench)
    tried = 0
    for mode in ("kill", "power") if options.mode == "both" else (options.mode,):
        for number in range(options.first, total + 1, options.stride):
            bench.reset()
            invariants = Invariants(reference)
            faults = {"KILL": number, "POWER": int(mode == "power"),
                      "CONTROL": int(options.control)}
            code, _, error = bench.run(faults)
            if code == 0:
                continue  # the calls of one run and of another may differ by a few
            require(code == -signal.SIGKILL, f"call {number}: ends with {code}: {error}")
            try:
                invariants.check(bench.out())
                complete(bench, invariants)
            except Broken as fault:
                raise Broken(f"{mode} after call {number} of {total}: {fault}") from fault
            tried += 1
    bench.close()
    return (f"{tried} runs ended after one call each ({total} calls in a run of {options.clips} clips, "
            f"every {options.stride}. from {options.first}, {options.mode}): all promises kept, every "
            f"final tree as undisturbed")


def control(options):
    """The same with fsync and rename turned off has to break a promise."""
    for mode in ("kill", "power"):
        options.mode, options.control = mode, True
        try:
            calls(options)
        except Broken as fault:
            print(f"  control: {fault}")
            continue
        raise Broken(f"without fsync and rename the check '{mode}' passes")
    return "without fsync and rename both checks fail, as they should"


def share(options):
    """Several processes on one folder; some of them are killed."""
    bench = Bench(options, options.clips)
    reference, _ = undisturbed(bench)
    processes = [bench.start(more=["--jobs", "1"]) for _ in range(options.processes)]
    victims = processes[:options.victims]
    if victims:
        time.sleep(options.delay)
    for victim in victims:
        victim.kill()
    made = []
    for process in processes:
        text, error = process.communicate(timeout=900)
        if process in victims:
            continue
        require(process.returncode == 0, f"a process ends with {process.returncode}: {error}")
        made += [item["input"] for item in json.loads(text)["items"] if item["status"] == "ok"]
    require(len(set(made)) == len(made), "an item was made twice")
    Invariants(reference).check_end(bench.out())
    leases = sum(token for _, token, _ in journal_rows(bench.out()).values())
    if not victims:
        require(len(made) == options.clips, f"{len(made)} made, {options.clips} wanted")
    extra = leases - options.clips
    require(extra <= len(victims), f"{extra} leases too many for {len(victims)} killed processes")
    bench.close()
    return (f"{options.processes} processes ({len(victims)} killed) on {options.clips} clips: each "
            f"made once, {extra} leases taken over, tree as undisturbed")


def full(options):
    """A disk that fills up: a small tmpfs where it can be mounted, and calls that say so."""
    bench = Bench(options, options.clips)
    bench.flags += ["--stems", "--timeline"]
    reference, _ = undisturbed(bench)
    sizes = fill_tmpfs(bench, options, reference) if options.tmpfs else ""
    _, writes = count_calls(bench)
    numbers = sorted({1 + (writes - 1) * point // max(1, options.points - 1)
                      for point in range(options.points)})
    for number in numbers:
        bench.reset()
        check_full(bench, reference, *bench.run({"FULL": number, "SPACE": 1}))
        complete(bench, Invariants(reference))
    bench.close()
    return (f"{sizes}{len(numbers)} of {writes} writes find a full disk: exit 6, no invalid file, "
            f"never done; complete once there is room")


def check_full(bench, reference, code, summary, error):
    require(code in (0, 6), f"a full disk ends with {code}, not 6: {error}")
    if code == 0:
        Invariants(reference).check_end(bench.out())
        return
    if os.path.isdir(bench.out()):
        Invariants(reference).check(bench.out(), while_killed=False)
    for item in summary["items"]:
        require(item["status"] != "failed" or item["reason"] == "disk_full",
                f"another reason than the disk: {item['reason']}: {item['message']}")


def fill_tmpfs(bench, options, reference):
    """Sizes from too small for the journal to large enough."""
    code, _, _ = bench.run()
    require(code == 0, "cannot be measured", Unusable)
    used = sum(os.path.getsize(os.path.join(place, name))
               for place, _, names in os.walk(bench.out()) for name in names)
    too_small = 0
    for point in range(options.points):
        size = int(16384 + (1.2 * used + 1500000) * point / max(1, options.points - 1))
        bench.reset()
        os.makedirs(bench.out())
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", bench.out()],
                       check=True)
        try:
            code, summary, error = bench.run({"SPACE": 1})
            check_full(bench, reference, code, summary, error)
            too_small += code == 6
            subprocess.run(["mount", "-o", "remount,size=2g", bench.out()], check=True)
            complete(bench, Invariants(reference))
        finally:
            subprocess.run(["umount", bench.out()], check=True)
    require(0 < too_small < options.points, f"{too_small} of {options.points} sizes are too small")
    return f"{options.points} sizes of a tmpfs ({too_small} too small) and "


def make_hostile(folder, count, seed):
    """Files that no program should believe, each another one."""
    random.seed(seed)
    base = os.path.join(folder, "base.mp4")
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=1", "-c:v", "mpeg4", base)
    with open(base, "rb") as file:
        whole = file.read()
    os.remove(base)
    kinds = [
        lambda: b"",
        lambda: random.randbytes(random.randrange(1, 60000)),
        lambda: b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        lambda: b"ffconcat version 1.0\nfile clip000.mp4\n",
        lambda: whole[:random.randrange(1, 400)],
        lambda: b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n",
        lambda: whole[:40] + random.randbytes(3000),
        lambda: b"\0\0\0\x20ftypisom" + b"\xff" * random.randrange(100, 5000),
        lambda: ("not a video, line " * random.randrange(1, 99)).encode(),
        lambda: b"\x1a\x45\xdf\xa3" + random.randbytes(500),
    ]
    for number in range(count):
        path = os.path.join(folder, f"bad{number:03d}.mp4")
        if number % 25 == 3:
            os.symlink("/etc/hostname", path)
        elif number % 25 == 7:
            os.mkfifo(path)
        elif number % 25 == 11:
            os.symlink("nowhere", path)
        else:
            with open(path, "wb") as file:
                file.write(kinds[number % len(kinds)]())


def work_s():
    """Processor time of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def hostile(options):
    """Good and hostile files in one folder."""
    bench = Bench(options, options.good)
    make_hostile(os.path.join(bench.root, "in"), options.bad, options.seed)
    code, summary, error = bench.run()
    require(code == 1, f"ends with {code}: {error}")
    good = [item for item in summary["items"] if item["status"] == "ok"]
    bad = [item for item in summary["items"] if item["status"] == "failed"]
    require(len(good) == options.good, f"{len(good)} outputs, {options.good} wanted")
    require(len(bad) == options.bad, f"{len(bad)} failed, {options.bad} wanted")
    for item in bad:
        require(item["exit_code"] == 3 and item["reason"] and item["message"], f"no reason: {item}")
    before = tree(bench.out())
    begin, work_begin = time.monotonic(), work_s()
    code, summary, error = bench.run()
    span_s, worked_s = time.monotonic() - begin, work_s() - work_begin
    require(code == 1, f"the second run ends with {code}: {error}")
    require(summary["totals"] == {"items": options.good + options.bad, "ok": 0,
                                  "skipped": options.good, "failed": options.bad, "not_run": 0},
            f"the second run works: {summary['totals']}")
    require(tree(bench.out()) == before, "the second run changed something")
    # Of the processor: the machine may be busy with other things.
    require(worked_s < options.limit, f"the second run works for {worked_s:.1f} s")
    bench.close()
    return (f"{len(good)} outputs, {len(bad)} reasons, exit 1; the second run does nothing in "
            f"{span_s:.1f} s, {worked_s:.1f} s of them at work")


def stops(options):
    """SIGINT and SIGTERM at random moments."""
    bench = Bench(options, options.clips)
    reference, span_s = undisturbed(bench)
    random.seed(options.seed)
    longest_s, stopped = 0, 0
    for number in range(options.count):
        bench.reset()
        process = bench.start()
        time.sleep(random.uniform(0.1, span_s))
        wanted = (signal.SIGINT, signal.SIGTERM)[number % 2]
        process.send_signal(wanted)
        begin = time.monotonic()
        process.communicate(timeout=60)
        longest_s = max(longest_s, time.monotonic() - begin)
        # Before its handlers stand, the signal itself ends it; nothing has been begun then.
        require(process.returncode in (0, 128 + wanted, -wanted), f"ends with {process.returncode}")
        stopped += process.returncode != 0
        if os.path.isdir(bench.out()):
            invariants = Invariants(reference)
            invariants.check(bench.out(), while_killed=False)
            leased = [row for row in journal_rows(bench.out()).values() if row[0] == "leased"]
            require(not leased, "a lease was kept")
            complete(bench, invariants)
    require(longest_s < 10, f"a stop took {longest_s:.1f} s")
    bench.close()
    return (f"{stopped} of {options.count} runs stopped by a signal, the longest in "
            f"{longest_s:.1f} s; nothing left behind")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    checks = parser.add_subparsers(dest="check", required=True)

    def add(function, **numbers):
        check = checks.add_parser(function.__name__, help=function.__doc__)
        check.set_defaults(function=function, control=False, mode="both")
        check.add_argument("--program", default="build/bin/qingyin")
        check.add_argument("--shim", default="build/bin/libqingyin_fault_shim.so")
        check.add_argument("--seed", type=int, default=1)
        for name, value in numbers.items():
            check.add_argument("--" + name, type=type(value), default=value)
        return check

    add(kills, count=200, clips=20, span=0.5)
    add(calls, clips=2, stride=1, first=1).add_argument("--mode", choices=["kill", "power", "both"],
                                               default="both")
    add(control, clips=2, stride=1, first=1)
    add(share, processes=8, clips=100, victims=0, delay=2.0)
    add(full, clips=4, points=20).add_argument("--tmpfs", action="store_true")
    add(hostile, good=100, bad=100, limit=5.0)
    add(stops, count=20, clips=8)
    options = parser.parse_args()
    begin = time.monotonic()
    try:
        figures = options.function(options)
    except (Broken, Unusable) as fault:
        print(f"{options.check}: {type(fault).__name__.upper()}: {fault}")
        return 1
    print(f"{options.check}: {figures} ({time.monotonic() - begin:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
