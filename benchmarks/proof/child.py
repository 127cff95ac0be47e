"""A point of one program in a fresh process: `python -m benchmarks.proof.child FAMILY PARAMETERS N`, parameters as JSON."""

from __future__ import annotations

import json
import os
import sys
import time

from benchmarks.proof.programs.registry import families


def main(argv: list[str]) -> None:
    """Run it, and print its peak above what was resident before."""
    name, parameters, n = argv[0], json.loads(argv[1]), int(argv[2])
    run = families()[name][0].run
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")
    with open("/proc/self/statm", encoding="ascii") as file:
        before = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    began_s = time.process_time()
    run(n, **parameters)
    cpu_s = time.process_time() - began_s
    with open("/proc/self/status", encoding="ascii") as file:
        peak = next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM"))
    print(json.dumps({"peak_bytes": peak - before, "before_bytes": before, "cpu_s": cpu_s}))


if __name__ == "__main__":
    main(sys.argv[1:])
