"""What `import flatwater` costs above a bare interpreter, beside packages that most programs import anyway."""

from __future__ import annotations

import statistics
import subprocess
import sys

from benchmarks.case import Bar, Case, Run

BARE, OURS = "bare python", "import flatwater"
PROBE = """
import os, sys, time
before_s = time.process_time()
{work}
cpu_s = time.process_time() - before_s
resident = int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
print(cpu_s, resident)
"""

case = Case(
    "`import flatwater` in fresh interpreters; the last two columns are what the interpreter says of itself.",
    size=5,
    tiny=1,
    per="interpreter",
    unit="ms",
    commands=True,
    figures={"import_ms": "import, CPU ms", "resident_mib": "resident, MiB"},
    bars=(
        Bar(
            "`import flatwater` takes at most 40 ms of CPU",
            40,
            "ms",
            lambda outcome: outcome.figure(OURS, "import_ms") - outcome.figure(BARE, "import_ms"),
        ),
        Bar(
            "`import flatwater` adds at most 5 MB to a bare interpreter",
            5_000_000 / (1 << 20),
            "MiB",
            lambda outcome: outcome.figure(OURS, "resident_mib") - outcome.figure(BARE, "resident_mib"),
        ),
    ),
)


def imports(work: str, interpreters: int) -> Run:
    """Start that many interpreters that do `work`, and give the medians of what they say."""

    def run() -> dict[str, float]:
        told = []
        for _ in range(interpreters):
            done = subprocess.run(
                [sys.executable, "-c", PROBE.format(work=work)], capture_output=True, text=True, check=True
            )
            told.append([float(word) for word in done.stdout.split()])
        cpu_s, resident = map(statistics.median, zip(*told, strict=True))
        return {"import_ms": cpu_s * 1e3, "resident_mib": resident / (1 << 20)}

    return run


case.contestant(BARE)(lambda size: imports("pass", size))
case.contestant(OURS)(lambda size: imports(OURS, size))
case.contestant("with the first reservation, and fw.measure")(
    lambda size: imports(f"{OURS} as fw; fw.Budget('1 MiB').reserve(1, 'rows').release(); fw.measure", size)
)
case.contestant("import click", needs=("click",))(lambda size: imports("import click", size))
case.contestant("import rich", needs=("rich",))(lambda size: imports("import rich, rich.console", size))
case.contestant("import psutil", needs=("psutil",))(lambda size: imports("import psutil", size))
