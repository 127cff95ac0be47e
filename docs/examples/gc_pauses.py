"""What collections cost, by generation: with few and many live objects, frozen ones, and the collector off.

Run: python docs/examples/gc_pauses.py [NUMBER OF LIVE OBJECTS]
"""

from __future__ import annotations

import gc
import sys

import flatwater as fw
from flatwater import units

WORK = 300_000  # objects kept by the work that is measured
GENERATIONS = 3


def work() -> list[list[int]]:
    """Make many objects that stay, as reading a table into memory does: this is what calls the collector."""
    return [[n] for n in range(WORK)]


def row(name: str) -> None:
    """Measure the work, and print what the collector did meanwhile."""
    with fw.measure(name, gc=False) as reading:
        made = work()
    parts = [
        f"{count:>4} in {units.format_duration(pause_s):>7}"
        for count, pause_s in zip(reading.gc_collections, reading.gc_pause_s, strict=True)
    ]
    print(f"{name:<34} {'   '.join(parts)}   of {units.format_duration(reading.wall_s)}")
    del made


def main(live: int) -> None:
    """The same work beside different heaps."""
    print(f"work: {WORK:,} lists that stay; live: {live:,} more. Thresholds {gc.get_threshold()}")
    print(f"{'collections':<34} " + "   ".join(f"{f'generation {n}':>15}" for n in range(GENERATIONS)))
    gc.collect()
    row("nothing else is live")
    held = [[n] for n in range(live)]
    gc.collect()
    row("beside the live objects")
    gc.collect()
    gc.freeze()
    row("the live objects frozen")
    gc.unfreeze()
    gc.disable()
    row("the collector off")
    gc.enable()
    with fw.measure("one full collection", gc=False) as reading:
        gc.collect()
    print(
        f"one gc.collect() of {len(held):,} live objects stops the program for {units.format_duration(reading.gc_pause_s[2])}"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
