"""What one measured piece of code did to the process.

Covers:     the figures, as a table for people and a dict for JSON.
Not here:   taking them (`meter.measure`).
Holds:      about 600 bytes, and ten lines of text with python=True.
"""

from __future__ import annotations

from typing import final

from flatwater import units

_FIGURES = (
    "peak_rss", "peak_anon", "delta", "retained", "rss_anon", "rss_file", "swap", "external", "python_blocks",
    "python_peak", "gc_collections", "gc_pause_s", "cpu_s", "wall_s", "reusable_bytes",
)  # fmt: skip


@final
class Reading:
    """Figures of one measure, filled in when it ends; sizes in bytes, -1 where the platform does not tell.

    Attributes:
        name: of the measure.
        done: whether it has ended.
        peak_rss: the highest resident size of the whole process meanwhile; see `peak_kind`.
        peak_kind: "exact" (the kernel's high-water mark) or "sampled" (every 10 ms).
        peak_anon: the highest anonymous size meanwhile, sampled every 10 ms.
        delta: `peak_rss` above the resident size at the start.
        retained: growth of the anonymous size from the start to the end, after collection. With python=True it includes
            the tracer's own memory (about 110 bytes for each block that lives), and so do the peaks.
        rss_anon: anonymous at the end.
        rss_file: pages of mapped files at the end.
        swap: swapped out at the end.
        external: the part of `retained` that lies outside Python's object allocator: native libraries and buffers, large
            objects, what malloc keeps. With python=True what tracemalloc saw and what it took itself are left out: native
            memory, and what malloc keeps. Below 0 where memory that was free in the process was used again.
        python_blocks: growth of the number of blocks that Python's allocator has handed out.
        python_peak: the most that Python's allocators held at once, of what was allocated since tracing began: with this
            measure, or before it where tracemalloc was on already; -1 without python=True, or if tracing was stopped.
        gc_collections: collections meanwhile, by generation.
        gc_pause_s: seconds the program stood still for them, by generation.
        cpu_s: processor seconds of the whole process.
        wall_s: seconds by the clock.
        reusable_bytes: free in the allocators at the start. Up to so many bytes could be used without any growth showing.
        overlapped: another measure ran at the same time, not nested: the figures include its work.
        probe: where the sizes come from.
        doubt: what they cannot tell: on this platform, with no descriptor left, after a fork; empty otherwise.
        top: with python=True, the lines that hold most of the growth: `(place, bytes, blocks)`.
    """

    __slots__ = (
        "cpu_s", "delta", "done", "doubt", "external", "gc_collections", "gc_pause_s", "name", "overlapped", "peak_anon",
        "peak_kind", "peak_rss", "probe", "python_blocks", "python_peak", "retained", "reusable_bytes", "rss_anon",
        "rss_file", "swap", "top", "wall_s",
    )  # fmt: skip

    def __init__(self, name: str) -> None:
        self.name = name
        self.done = False
        self.peak_rss = self.peak_anon = self.delta = self.retained = 0
        self.rss_anon = self.rss_file = self.swap = self.external = 0
        self.python_blocks = 0
        self.python_peak = -1
        self.gc_collections: tuple[int, ...] = (0, 0, 0)
        self.gc_pause_s: tuple[float, ...] = (0.0, 0.0, 0.0)
        self.cpu_s = self.wall_s = 0.0
        self.reusable_bytes = 0
        self.overlapped = False
        self.peak_kind = "exact"
        self.probe = self.doubt = ""
        self.top: tuple[tuple[str, int, int], ...] = ()

    def to_dict(self) -> dict[str, object]:
        """For JSON; bytes and seconds, unknown sizes are None."""
        figures: dict[str, object] = {"name": self.name, "done": self.done}
        for field in _FIGURES:
            value = getattr(self, field)
            figures[field] = list(value) if isinstance(value, tuple) else value
        for field in ("peak_rss", "peak_anon", "rss_anon", "rss_file", "swap", "python_peak", "reusable_bytes"):
            if figures[field] == -1:
                figures[field] = None
        figures["peak_kind"] = self.peak_kind
        figures["overlapped"] = self.overlapped
        figures["probe"] = self.probe
        figures["doubt"] = self.doubt
        figures["top"] = [{"place": place, "bytes": size, "blocks": blocks} for place, size, blocks in self.top]
        return figures

    def __str__(self) -> str:
        if not self.done:
            return f"{self.name}: still being measured"
        pauses = sum(self.gc_pause_s)
        by_generation = " + ".join(str(count) for count in self.gc_collections)
        rows = [
            ("duration", units.format_duration(self.wall_s), f"{units.format_duration(self.cpu_s)} CPU"),
            ("peak rss", _size(self.peak_rss), f"{self.peak_kind}; {_signed(self.delta)} above the start"),
            ("peak anon", _size(self.peak_anon), "sampled every 10 ms"),
            ("retained", _signed(self.retained), "anonymous memory, from start to end"),
            ("external", _signed(self.external), "of it outside Python's own allocator"),
            ("python blocks", f"{self.python_blocks:+,}", "allocated, from start to end"),
            ("now", _size(self.rss_anon), f"anonymous, {_size(self.rss_file)} file pages, {_size(self.swap)} swapped"),
            ("collector", units.format_duration(pauses), f"of pauses in {by_generation} collections, by generation"),
            ("reusable", _size(self.reusable_bytes), "was free in the allocators at the start and can hide growth"),
        ]
        if self.python_peak >= 0:
            rows.insert(5, ("python peak", _size(self.python_peak), "in Python's allocators at once"))
        lines = [f"{self.name}:"]
        lines += [f"  {label:<14}{value:>12}   {note}" for label, value, note in rows]
        lines += [f"  {'':<14}{_signed(size):>12}   {blocks:+,} blocks at {place}" for place, size, blocks in self.top]
        if self.overlapped:
            lines.append("  another measure ran at the same time: the figures include its work")
        if self.doubt:
            lines.append(f"  read by {self.probe}: {self.doubt}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        state = f"peak_rss={self.peak_rss} retained={self.retained}" if self.done else "open"
        return f"<Reading {self.name!r} {state}>"


def _size(count: int) -> str:
    return "unknown" if count < 0 else units.format_bytes(count)


def _signed(count: int) -> str:
    return f"{'+' if count > 0 else ''}{units.format_bytes(count)}"
