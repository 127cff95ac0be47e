"""What it costs to measure a piece of code that does nothing."""

from __future__ import annotations

from benchmarks.case import Bar, Case, Run

OURS = "fw.measure, gc=False"

case = Case(
    "Measuring an empty piece of code: what each instrument itself costs.",
    size=200,
    tiny=3,
    per="measure",
    unit="us",
    rounds_per_repeat=2,
    bars=(
        Bar(
            "`fw.measure` with `gc=False` takes at most 200 us of CPU",
            200,
            "us",
            lambda outcome: outcome.seconds(OURS) * 1e6,
        ),
    ),
)


def nothing() -> None:
    """The code that is measured."""


@case.contestant("psutil.memory_info, twice", needs=("psutil",))
def psutil(size: int) -> Run:
    import psutil

    process = psutil.Process()

    def run() -> None:
        for _ in range(size):
            before = process.memory_info()
            nothing()
            _ = process.memory_info().rss - before.rss

    return run


def measured(size: int, *, gc: bool, python: bool) -> Run:
    import flatwater as fw

    with fw.measure("warm", gc=gc, python=python):
        nothing()  # imports are not asked about

    def run() -> None:
        for _ in range(size):
            with fw.measure("x", gc=gc, python=python):
                nothing()

    return run


@case.contestant(OURS)
def plain(size: int) -> Run:
    return measured(size, gc=False, python=False)


@case.contestant("fw.measure, gc=True")
def collected(size: int) -> Run:
    return measured(size, gc=True, python=False)


@case.contestant("tracemalloc, start and stop")
def tracemalloc(size: int) -> Run:
    import tracemalloc

    def run() -> None:
        for _ in range(size):
            tracemalloc.start()
            nothing()
            tracemalloc.get_traced_memory()
            tracemalloc.stop()

    return run


@case.contestant("fw.measure, python=True")
def python(size: int) -> Run:
    return measured(size, gc=False, python=True)


@case.contestant("memory_profiler.memory_usage", needs=("memory_profiler",), rounds_max=2)
def memory_profiler(size: int) -> Run:
    from memory_profiler import memory_usage

    def run() -> None:
        for _ in range(size):
            memory_usage((nothing, (), {}), interval=0.01, max_usage=True)

    return run
