"""Record who allocated a Python program's peak, inside that program: with memray if it has it, else with tracemalloc.

Covers:     starting the recorder, saving what it knows each time the peak has grown, so that a kill loses little.
Not here:   reading memray's recording and choosing among processes (`meter.profile`).
Holds:      what the recorder holds: with tracemalloc about 100 bytes per live allocation, 200 more while it saves.

Used through PYTHONPATH by any Python from 3.8 on; standard library only.
"""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

FRAMES_MAX = 12
GROWTH_TO_SAVE = 2.0  # times the last saved size: all saves together cost about twice the last
GROWTH_TO_SAVE_LAST = 1.1  # the same, when the program ends by itself
SMALL_SAMPLE_MAX = 100_000  # allocations below LARGE_BYTES_MIN that are looked at in one save
LARGE_BYTES_MIN = 16 << 10
SAVE_BYTES_MIN = 1 << 20


def start(directory: str) -> None:
    """Record this process into `directory`."""
    try:
        import memray
    except ImportError:
        _start_tracemalloc(directory)
        return
    import atexit

    base = os.path.join(directory, f"profile-{os.getpid()}")

    def begin(frame: FrameType, event: str, _argument: object) -> None:
        # Memray does not see the frames of a program that begins after it was started from a frame that has returned. So
        # it starts when the program's own module does, and what stands for that module is this function: see `convert`.
        if event != "call" or frame.f_code.co_name != "<module>" or frame.f_globals.get("__name__") != "__main__":
            return
        sys.setprofile(None)
        try:
            with open(base + ".python", "w", encoding="utf-8") as file:
                file.write(f"{sys.executable}\n{frame.f_code.co_filename}")
            # Not compressed at the end: where that fails, it tells the program's standard error.
            tracker = memray.Tracker(destination=memray.FileDestination(base + ".memray", compress_on_exit=False))
            tracker.__enter__()
        except Exception:  # noqa: BLE001 - no disk, no folder: the program must not hear of it
            return
        atexit.register(tracker.__exit__, None, None, None)

    sys.setprofile(begin)


def _start_tracemalloc(directory: str) -> None:
    import atexit
    import signal
    import tracemalloc

    tracemalloc.start(FRAMES_MAX)
    saved = [os.getpid(), 0]

    def asked(_number: int, _frame: object) -> None:
        signal.siginterrupt(signal.SIGURG, False)  # noqa: FBT003 - its signature; faulthandler, which called us, drops the flag
        look(GROWTH_TO_SAVE)

    def look(growth: float) -> None:
        if saved[0] != os.getpid():  # a fork: its profile is another file
            saved[:] = [os.getpid(), 0]
        size = tracemalloc.get_traced_memory()[0]
        if size < max(SAVE_BYTES_MIN, saved[1] * growth):
            return
        saved[1] = size
        try:  # noqa: SIM105 - as below
            _write(
                os.path.join(directory, f"profile-{os.getpid()}.json"), speedscope_text("tracemalloc", _stacks_now())
            )
        except Exception:  # noqa: BLE001, S110 - no disk, no memory: the program must not hear of it
            pass

    # The same signal that asks for a stack when the process has grown: its handler runs in the main thread, which then
    # does nothing else. A thread of ours would have to share the interpreter, and take many times as long.
    signal.signal(signal.SIGURG, asked)
    atexit.register(look, GROWTH_TO_SAVE_LAST)


def _stacks_now() -> list[tuple[int, list[tuple[str, str, int]]]]:
    import tracemalloc

    # The public statistics() makes several objects per allocation, each of them traced again: minutes for millions.
    # So raw traces (domain, size, traceback), large ones one by one and an even sample of the many small ones.
    traces = tracemalloc.take_snapshot().traces._traces  # type: ignore[attr-defined]  # noqa: SLF001 - as said
    stride = 1 + len(traces) // SMALL_SAMPLE_MAX
    small = [trace for trace in traces[::stride] if trace[1] < LARGE_BYTES_MIN]
    large = [trace for trace in traces if trace[1] >= LARGE_BYTES_MIN]
    sizes: dict[tuple[tuple[str, int], ...], int] = {}
    for group, weight in ((small, stride), (large, 1)):
        for trace in group:
            sizes[trace[2]] = sizes.get(trace[2], 0) + trace[1] * weight
    del traces, small, large
    here = os.path.dirname(os.path.abspath(__file__))
    stacks = []
    for frames, size in sizes.items():  # innermost first
        if not any(file.startswith((here, tracemalloc.__file__)) for file, _line in frames):
            stacks.append((size, [(os.path.basename(file), file, line) for file, line in reversed(frames)]))
    return stacks


def speedscope_text(recorder: str, stacks: list[tuple[int, list[tuple[str, str, int]]]]) -> str:
    """`(bytes, [(name, file, line), outermost first])` in speedscope's file format."""
    frames: dict[tuple[str, str, int], int] = {}
    samples = []
    weights = []
    for size, stack in stacks:
        samples.append([frames.setdefault(frame, len(frames)) for frame in stack])
        weights.append(size)
    profile = {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "exporter": f"flatwater ({recorder})",
        "name": f"live at the peak ({recorder})",
        "shared": {"frames": [{"name": f"{name}:{line}", "file": file, "line": line} for name, file, line in frames]},
        "profiles": [
            {
                "type": "sampled",
                "name": "bytes live at the peak",
                "unit": "bytes",
                "startValue": 0,
                "endValue": sum(weights),
                "samples": samples,
                "weights": weights,
            }
        ],
    }
    return json.dumps(profile)


def _write(path: str, text: str) -> None:
    """Whole or not at all."""
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".tmp", path)


def convert(recording: str, path: str, program: str) -> None:
    """Turn memray's recording of `program` into speedscope's format; run by the Python that made the recording.

    The program's own module stands there as the function that started the recording, so its lines are not known.
    """
    import memray

    stacks = []
    for record in memray.FileReader(recording).get_high_watermark_allocation_records(merge_threads=True):
        stack = [
            ("<module>", program, 0) if file == __file__ else (function, file, line)
            for function, file, line in reversed(record.stack_trace())
        ]
        stacks.append((record.size, stack or [("(no Python frame)", "", 0)]))
    _write(path, speedscope_text("memray", stacks))


if __name__ == "__main__":
    convert(sys.argv[1], sys.argv[2], sys.argv[3])
