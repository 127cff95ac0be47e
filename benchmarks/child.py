"""The process in which one contestant does its work once: `python -m benchmarks.child CASE CONTESTANT SIZE`.

It says `ready` when the setup is done, starts on the next line of stdin, reports one line of JSON, and ends when stdin
does, so that whoever samples it can look once more at what it held.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time

from benchmarks.case import CPU, load


def main(argv: list[str]) -> None:
    """Set up, wait, run, report."""
    name, contestant, size = argv
    report = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what the work prints is no report
    run = load(name).contestants[contestant].setup(int(size))
    gc.collect()
    print("ready", file=report, flush=True)
    sys.stdin.readline()
    begin_cpu_s, begin_s = cpu_s(), time.perf_counter()
    figures = dict(run() or {})
    wall_s = time.perf_counter() - begin_s
    used_s = figures.pop(CPU, cpu_s() - begin_cpu_s)
    print(json.dumps({"cpu_s": used_s, "wall_s": wall_s, "figures": figures}), file=report, flush=True)
    sys.stdin.readline()
    os._exit(0)  # what the work left running, or costs to tear down, is not part of it


def cpu_s() -> float:
    """User and system seconds of this process and of every process that it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main(sys.argv[1:])
