"""Whether each program is what it is called, measured beyond the range of the suite: `python -m benchmarks.proof.truth`.

A bounded one adds nothing from 0.7 to 1.5 million items; a growing one adds what its construction says from 0.1 to 0.8
million. This does not ask the verdict, and does not use the code that measures for it.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import subprocess
import sys
from pathlib import Path

import click
from benchmarks.proof.programs.registry import Program, programs

ROOT = Path(__file__).parents[2]
FLAT_RANGE, GROWING_RANGE = (700_000, 1_500_000), (100_000, 800_000)
FLAT_BYTES_MAX = 400 << 10  # twice the noise of a point
KEPT_SHARE = (0.7, 1.6)  # measured against computed: tables double, and hold the old one meanwhile


def point(program: Program, n: int) -> dict[str, float]:
    """One run in a fresh process."""
    argv = [sys.executable, "-m", "benchmarks.proof.child", program.family.name, json.dumps(program.parameters), str(n)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise RuntimeError(f"{program.name} at {n:,} ended with {done.returncode}.\n{done.stderr[-2_000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def check(program: Program) -> tuple[bool, str]:
    """Whether it holds, and the figures."""
    flat = program.truth == "constant"
    low, high = FLAT_RANGE if flat else GROWING_RANGE
    first, last = point(program, low), point(program, high)
    added = last["peak_bytes"] - first["peak_bytes"]
    peaks = f"{first['peak_bytes'] / 1024:9,.0f} {last['peak_bytes'] / 1024:9,.0f} KiB, {last['cpu_s']:5.2f} s"
    if flat:
        return added <= FLAT_BYTES_MAX, f"{peaks}, adds {added / 1024:,.0f} KiB"
    expected = program.kept(high) - program.kept(low)
    share = added / expected
    return KEPT_SHARE[0] <= share <= KEPT_SHARE[1], f"{peaks}, {program.bytes_per_item:.2f} B per item, x {share:.2f}"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, metavar="[FAMILY]...")
def main(names: tuple[str, ...]) -> None:
    """Check FAMILYs (all of them, if none is named)."""
    chosen = [each for each in programs() if not names or each.family.name in names]
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for program, (right, figures) in zip(chosen, pool.map(check, chosen), strict=True):
            wrong += not right
            click.echo(f"{'  ' if right else '! '}{program.half:8} {program.family.kind:8} {program.name:55} {figures}")
    if wrong:
        raise click.ClickException(f"{wrong} of {len(chosen)} programs are not what they are called.")


if __name__ == "__main__":
    main()
