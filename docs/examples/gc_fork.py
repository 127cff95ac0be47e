"""What a collection in a forked child copies, and how gc.freeze() before the fork avoids it. Linux.

Run: python docs/examples/gc_fork.py [NUMBER OF LIVE OBJECTS]
"""

from __future__ import annotations

import gc
import os
import sys

from flatwater import units


def private_bytes() -> int:
    """What this process has for itself alone: pages written since the fork, among others."""
    with open("/proc/self/smaps_rollup", encoding="ascii") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_Dirty:")) * 1024


def copied_in_a_child() -> int:
    """Fork; the child collects once, and tells how much of its parent's memory it had to copy for that."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        before = private_bytes()
        gc.collect()
        os.write(write, str(private_bytes() - before).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        copied = int(answer.read())
    os.waitpid(pid, 0)
    return copied


def main(live: int) -> None:
    """The same child, without and with frozen objects."""
    gc.disable()  # a collection here frees pages that the children then write into
    held = [[n] for n in range(live)]
    print(f"{len(held):,} live objects in the parent; the child calls gc.collect() once")
    print(f"as it is            {units.format_bytes(copied_in_a_child())} copied")
    gc.freeze()
    print(f"after gc.freeze()   {units.format_bytes(copied_in_a_child())} copied")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500_000)
