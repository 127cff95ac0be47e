"""Turn what grew into leaks: one for each cause, with what it holds and the way to it.

Covers:     containers, caches, objects by holder, threads, tasks, descriptors, native memory, cycles.
Not here:   finding what grew (`evidence`), the words (`report`).
Holds:      references to the new objects of the last round, until the report is made.
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import io
import os
import queue
import socket
import threading
import weakref
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, final

from flatwater import units
from flatwater.proof.leaks import census, chain, figures, holders, report, rounds
from flatwater.proof.leaks.evidence import DESCRIPTOR, ENTRY_BYTES, TASK, THREAD, Evidence
from flatwater.proof.leaks.report import Leak, LeakReport, Part

CYCLE_BYTES_MIN = units.MIB  # a round: cycles of so many bytes wait for a collector that counts objects, not bytes
THREAD_BYTES = 64 * units.KIB  # of malloc that threads may take for themselves: no leak beside the one that is told
DESCRIPTOR_CHARS_MAX = 60  # of the name of what is open

_OF_BYTES = (bytearray, io.BytesIO, io.StringIO)  # whose entries are bytes or characters
_BOUNDED = {
    "re._cache": 512,
    "re._cache2": 256,
    "re._compiler._cache": 512,
    "xml.etree.ElementPath._cache": 100,
}  # caches of Python itself, and their bounds
_BOUNDED_BY_TYPE = {
    "_struct.Struct": ("struct's cache of formats", 100)
}  # those that no name leads to, by what is in them
_OF_THREADS = ("threading.", "concurrent.futures.thread.")  # what keeps a list of all threads
_OF_TASKS = ("asyncio.", "_asyncio.", "the event loop")


class Found(NamedTuple):
    """What to report."""

    leaks: list[Leak]
    notes: list[str]


def build(evidence: Evidence, held: holders.Holders, ignored: tuple[str, ...]) -> Found:
    """All leaks, most bytes first."""
    objects, _complete = census.walk()
    return _Builder(evidence, held, objects, ignored).build()


def add_cycles(found: LeakReport, *, count: bool | None) -> None:
    """Count cycles as a leak, where they are one."""
    cycles = found.cycles
    if cycles is None or count is False:
        return
    if not (count or cycles.is_off or cycles.bytes >= CYCLE_BYTES_MIN):
        return
    doubt = "" if cycles.is_off else "the collector is on and frees them, but not before it has counted enough objects"
    name = (
        "objects in cycles, and the collector is off"
        if cycles.is_off
        else "objects in cycles that wait for the collector"
    )
    leak = Leak(report.CYCLES, name, cycles.objects, cycles.bytes, cycles.example, cycles.parts, doubt)
    found.leaks.append(leak)
    found.leaks.sort(key=_weight)


@final
class _Builder:
    __slots__ = (
        "_aliases", "_evidence", "_explained", "_held", "_ignored", "_is_filling_natively", "_leaks", "_loose", "_new",
        "_notes", "_parts", "_samples", "_told",
    )  # fmt: skip

    def __init__(
        self, evidence: Evidence, held: holders.Holders, objects: list[object], ignored: tuple[str, ...]
    ) -> None:
        self._evidence, self._held, self._ignored = evidence, held, ignored
        self._new = {id(obj): obj for obj in objects if id(obj) not in evidence.ids}
        loose = {key for key in evidence.growing() if key not in held}
        self._loose = [obj for obj in objects if id(obj) in loose]  # growing containers that no name leads to
        self._leaks: list[Leak] = []
        self._notes: list[str] = []
        self._explained: set[str] = set()  # names of types
        self._told: set[str] = set()  # holders
        self._is_filling_natively = False  # a bounded cache fills up with objects that may have memory of their own
        self._aliases = self._find_aliases()
        self._parts = self._find_parts()
        self._samples = self._find_samples(objects)

    def build(self) -> Found:
        self._add_tasks_and_threads()
        self._add_descriptors()
        for key in sorted(self._evidence.growing(), key=self._held.depth):
            if key in self._held and f"#{key}" not in self._aliases:
                self._add_container(key)
        for holder in list(self._parts):
            if holder != holders.UNREACHED and not holder.startswith("#"):
                self._add_objects(holder)
        self._add_unreached()
        self._add_kept()
        self._add_native()
        self._leaks.sort(key=_weight)
        del self._leaks[report.LEAKS_MAX :]
        return Found(self._leaks, self._notes)

    # --- who holds what -----------------------------------------------------------------------------------------------

    def _find_aliases(self) -> dict[str, str]:
        """The dict inside a functools cache is the cache, the list inside a queue the queue."""
        aliases = {}
        growing = self._evidence.growing()
        for key in self._evidence.lengths.grown():
            _label, way = self._held.way(key)
            outer = way[-2] if len(way) > 1 else None
            if id(outer) in growing and (census.is_cache(outer) or type(outer) is queue.SimpleQueue):
                aliases[f"#{key}"] = f"#{id(outer)}"
        return aliases

    def _find_parts(self) -> dict[str, dict[str, Part]]:
        """By holder and type: of what it held more, or larger, each time."""
        parts: dict[str, dict[str, Part]] = {}
        for (holder, name), (count, size) in sorted(self._evidence.held().items()):
            part = Part(name, count, size)
            mine = parts.setdefault(self._aliases.get(holder, holder), {})
            known = mine.get(name)
            mine[name] = Part(name, part.objects + known.objects, part.bytes + known.bytes) if known else part
        return parts

    def _find_samples(self, objects: list[object]) -> dict[str, int]:
        """For each holder the id of the object nearest to a name, of those types; a new one, if one is known to be new.

        An object that took the place of one that has died is not known to be new.
        """
        nearest: dict[str, tuple[bool, int]] = {}
        samples: dict[str, int] = {}
        wanted = {name for parts in self._parts.values() for name in parts}
        kinds = {kind: name for kind in set(map(type, objects)) if (name := census.type_name(kind)) in wanted}
        mine = [obj for obj in objects if type(obj) in kinds]
        for obj, named in zip(mine, self._held.holders(map(id, mine)), strict=True):
            holder = self._aliases.get(named, named)
            if named == holders.UNREACHED or kinds[type(obj)] not in self._parts.get(holder, ()):
                continue
            key = id(obj)
            rank = key not in self._new, self._held.place(key)
            if holder not in nearest or rank < nearest[holder]:
                nearest[holder] = rank
                samples[holder] = key
        return samples

    def _new_in(self, cache: int) -> Iterator[object]:
        """What is new in a functools cache: its arguments and results, each in a link of a list."""
        for key, obj in self._new.items():
            if key in self._held and self._aliases.get(self._held.holder(key), self._held.holder(key)) == f"#{cache}":
                yield obj

    def _take_parts(self, holder: str) -> tuple[Part, ...]:
        parts = self._parts.pop(holder, {})
        self._explained.update(parts)
        return tuple(sorted(parts.values(), key=lambda part: (-part.bytes, part)))[: report.PARTS_MAX]

    def _words(self, key: int) -> tuple[str, ...]:
        label, way = self._held.way(key)
        return chain.words(label, way) if way else ()

    def _has(self, kind: str) -> bool:
        return any(leak.kind == kind for leak in self._leaks)

    def _add(self, leak: Leak, key: int | None = None) -> None:
        texts = [leak.name]
        if key is not None and key in self._held:
            texts += self._words(key)
            texts += [census.type_name(type(obj)) for obj in self._held.way(key)[1]]
        if not any(text.startswith(start) for text in texts for start in self._ignored):
            self._leaks.append(leak)

    # --- one kind after another ---------------------------------------------------------------------------------------

    def _add_tasks_and_threads(self) -> None:
        threads, tasks = threading.enumerate(), holders.tasks()
        for key in self._evidence.flat.grown():
            count = self._evidence.flat.per_round(key)
            if key.startswith(THREAD):
                work = key.removeprefix(THREAD)
                parts = self._take_parts(f"thread {work}")
                name = "started below Python" if work == "native" else work
                words, keeper = self._kept_by([one for one in threads if figures.thread_work(one) == work])
                self._add(Leak(report.THREADS, name, count, _bytes_of(parts), words, parts), keeper)
            elif key.startswith(TASK):
                work = key.removeprefix(TASK)
                parts = self._take_parts(f"task {work}")
                mine = [task for task in tasks if holders.task_work(task) == work]
                words, keeper = self._kept_by(mine)
                name = work + (_waits(mine[0]) if mine else "")
                self._add(Leak(report.TASKS, name, count, _bytes_of(parts), words, parts), keeper)

    def _kept_by(self, alive: Iterable[object]) -> tuple[tuple[str, ...], int | None]:
        """The way to the newest of some threads or tasks in words, and the id of what holds it."""
        kept = [(obj, keeper) for obj in alive if (keeper := self._held.keeper(id(obj))) is not None]
        if not kept:
            return (), None
        obj, keeper = next((pair for pair in kept if id(pair[0]) in self._new), kept[-1])
        label, way = self._held.way(keeper)
        return chain.words(label, [*way, obj]), keeper

    def _add_descriptors(self) -> None:
        found = figures.descriptors()
        for key in self._evidence.flat.grown():
            if not key.startswith(DESCRIPTOR):
                continue
            kind = key.removeprefix(DESCRIPTOR)
            new = {number for number, (of, _what) in found.items() if of == kind} - self._evidence.descriptors
            what = found[max(new)][1] if new else kind
            name = kind if what.startswith(f"{kind}:") or what == kind else f"{kind} {what[-DESCRIPTOR_CHARS_MAX:]}"
            count = self._evidence.flat.per_round(key)
            carriers = [
                number for number, obj in self._new.items() if _descriptor_of(obj) in new and number in self._held
            ]
            if not carriers:
                self._add(Leak(report.DESCRIPTORS, name, count, 0))
                continue
            nearest = min(carriers, key=self._held.depth)
            holder = self._held.holder(nearest)
            self._explained.update(census.type_name(type(obj)) for obj in self._held.way(nearest)[1])
            self._told.add(holder)
            parts = self._take_parts(holder)
            self._add(Leak(report.DESCRIPTORS, name, count, _bytes_of(parts), self._words(nearest), parts), nearest)

    def _add_container(self, key: int) -> None:
        holder = f"#{key}"
        container: Any = self._held.object_of(key)
        self._explained.add(census.type_name(type(container)))  # it is itself larger each time
        parts = self._take_parts(holder)
        sample = self._samples.get(holder, key)
        words = self._words(sample)
        if self._is_told(key, container, words) or self._is_weak(key, container):
            return
        growth = max(self._evidence.lengths.per_round(key), self._evidence.fills.per_round(key))
        size = max(_bytes_of(parts), growth * (1 if issubclass(type(container), _OF_BYTES) else ENTRY_BYTES))
        if census.is_cache(container):
            self._add_cache(container, growth, size, words, parts, key)
            return
        name = self._name(key)
        if note := _bounded(name, container):
            self._notes.append(note)
            return
        self._add(Leak(report.CONTAINER, name, growth, size, words, parts), sample)

    def _add_cache(
        self, cache: Any, growth: int, size: int, words: tuple[str, ...], parts: tuple[Part, ...], key: int
    ) -> None:
        info = type(cache).cache_info(cache)
        function = getattr(cache, "__wrapped__", None)
        name = f"{rounds.name_of(function)} (functools cache)"
        if info.maxsize is None:
            self._add(Leak(report.CACHE, name, growth, size, words, parts), key)
            return
        self._is_filling_natively |= any(_is_of_c(type(obj)) for obj in self._new_in(key))
        full = units.format_bytes(size * info.maxsize // max(1, growth))
        self._notes.append(f"{name} fills up: {info.currsize:,} of {info.maxsize:,} entries, about {full} when full")

    def _name(self, key: int) -> str:
        label, way = self._held.way(key)
        steps = chain.words(label, way)
        named = steps[:-1] if len(way) > 1 else steps
        return f"{report.arrows(named)} ({type(way[-1]).__qualname__})"

    def _is_weak(self, key: int, container: Any) -> bool:
        """Whether what is new in it are weak references that tell no cause: to what another holds, or to what is gone."""
        entries = container.values() if issubclass(type(container), dict) else container
        if not issubclass(type(container), list | set | dict | collections.deque):
            return False
        new = [obj for obj in list(entries) if id(obj) in self._new]
        if not new or not all(issubclass(type(obj), weakref.ref) for obj in new):
            return False
        meant = [ref() for ref in new]
        if all(
            id(obj) in self._new and self._held.holder(id(obj)) not in {f"#{key}", holders.UNREACHED} for obj in meant
        ):
            return True
        way = self._held.way(key)[1]
        is_in_c = len(way) > 1 and chain.words("", way[-2:])[0] == ""  # no attribute, key or index of what holds it
        if is_in_c and all(obj is None for obj in meant):
            self._notes.append(
                f"{self._name(key)} keeps weak references to what is gone: C code that clears them in bulk"
            )
            return True
        return False

    def _is_told(self, key: int, container: object, words: tuple[str, ...]) -> bool:
        """Whether it belongs to threads, tasks or open files that are told already: then it is what holds them."""
        label, way = self._held.way(key)
        if self._has(report.THREADS):
            if label.startswith((*_OF_THREADS, "thread ")):
                return True
            if any(str(getattr(type(obj), "__module__", "")) == "threading" for obj in way):
                return True  # an Event or Condition knows who waits for it
        if self._has(report.TASKS) and label.startswith((*_OF_TASKS, "task ")):
            return True
        if f"#{key}" in self._told:
            return True
        for kind, types in _CARRIERS:
            index = next((index for index, leak in enumerate(self._leaks) if leak.kind == kind), None)
            if index is None or not chain.holds_only(container, types, self._new):
                continue
            if not self._leaks[index].chain:
                self._leaks[index] = dataclasses.replace(self._leaks[index], chain=words)
            return True
        return False

    def _add_objects(self, holder: str) -> None:
        sample = self._samples.get(holder)
        parts = self._take_parts(holder)
        if self._has(report.THREADS) and holder.startswith((*_OF_THREADS, "thread ")):
            return
        if self._has(report.THREADS) and " in thread " in holder:  # its local variables
            return
        if self._has(report.TASKS) and holder.startswith((*_OF_TASKS, "task ")):
            return
        first = parts[0]
        if sample is not None:
            nearest = census.type_name(type(self._held.object_of(sample)))
            first = next((part for part in parts if part.type_name == nearest), first)
        rest = tuple(part for part in parts if part is not first)
        words = self._words(sample) if sample is not None else ()
        self._add(Leak(report.OBJECTS, first.type_name, first.objects, _bytes_of(parts), words, rest), sample)

    def _add_unreached(self) -> None:
        """What no name leads to. Beside other leaks it is most likely inside one of them, where C code holds it."""
        evidence = self._evidence
        parts = list(self._take_parts(holders.UNREACHED))
        parts += [  # more on every round, though of no holder on every one
            Part(name, evidence.counts.per_round(name), evidence.sizes.per_round(name))
            for name in evidence.everywhere() - self._explained
        ]
        parts.sort(key=lambda part: (-part.bytes, part))
        unnamed = {id(obj) for obj in self._loose}
        for obj in self._loose:
            if note := _bounded("", obj):
                self._notes.append(note)
                unnamed.remove(id(obj))
        growth = sum(max(evidence.lengths.per_round(key), evidence.fills.per_round(key)) for key in unnamed)
        if unnamed and not self._leaks:
            size = max(_bytes_of(parts), growth * ENTRY_BYTES)
            self._add(Leak(report.CONTAINER, "a container that no name leads to", growth, size, (), tuple(parts)))
        elif self._leaks or self._notes:
            some = ", ".join(
                f"{part.objects:,} {part.type_name}" for part in parts[: report.PARTS_SHOWN] if part.objects
            )
            if some and not self._has(report.THREADS):
                self._notes.append(f"no name leads to {some} a round: probably inside the above, where C code holds it")
        elif parts:
            first, *rest = parts
            self._add(Leak(report.OBJECTS, first.type_name, first.objects, _bytes_of(parts), (), tuple(rest)))

    def _add_kept(self) -> None:
        """What grew outside of objects; what is set apart is told only where it is in none of the leaks."""
        kept = self._evidence.kept
        children, apart = kept.per_round(figures.CHILDREN), kept.per_round(figures.SET_APART)
        if children:
            self._add(Leak(report.PROCESSES, "it has ended, and nobody waits for it", children, 0))
        if apart and not self._leaks:
            self._add(Leak(report.OBJECTS, "object set apart by gc.freeze", apart, 0))

    def _add_native(self) -> None:
        evidence = self._evidence
        beside = "; it may belong to objects above" if any(leak.parts for leak in self._leaks) else ""
        native = evidence.native_bytes()
        if native and self._is_filling_natively and not self._leaks:
            size = units.format_bytes(native)
            self._notes.append(
                f"{size} more of malloc after each round: it belongs to objects in the cache that fills up"
            )
        elif native >= (THREAD_BYTES if self._has(report.THREADS) else 1):
            name = "memory from malloc that no Python object accounts for"
            self._add(Leak(report.NATIVE, name, 0, native, (), (), f"exact but for the allocator's rounding{beside}"))
        resident = evidence.resident_bytes()
        if resident and not self._has(report.THREADS):  # they have stacks
            name = "pages that neither Python objects nor malloc account for"
            doubt = f"seen in the resident size only: a mapping, or an allocator of a library's own{beside}"
            self._add(Leak(report.NATIVE, name, 0, resident, (), (), doubt))
        blocks = evidence.blocks()
        if blocks and not self._leaks and not self._notes:
            self._add(Leak(report.BLOCKS, "no object that can be found is in them", blocks, 0))


_CARRIERS: tuple[tuple[str, tuple[type, ...]], ...] = (
    (report.THREADS, (threading.Thread,)),
    (report.TASKS, (asyncio.Task,)),
    (report.DESCRIPTORS, (io.IOBase, socket.socket)),
)


def _bounded(name: str, container: Any) -> str:
    """A note on what fills up to a bound that is known; empty if none is. Without a name, by what is in it."""
    if issubclass(type(container), collections.deque) and container.maxlen is not None:
        return f"{name} fills up: {len(container):,} of {container.maxlen:,} entries"
    bound = next((bound for start, bound in _BOUNDED.items() if name.startswith(start)), 0)
    if bound:
        return f"{name} fills up: Python bounds it at {bound} entries"
    if not name and type(container) is dict:
        kinds = {census.type_name(type(value)) for value in container.values()}
        for kind, (whose, bound) in _BOUNDED_BY_TYPE.items():
            if kinds == {kind}:
                return f"{whose} fills up: Python bounds it at {bound} entries"
    return ""


def _is_of_c(kind: type) -> bool:
    """Whether its objects may have memory that they do not tell of: neither a class statement nor Python's core made it."""
    named = kind.__module__ not in {"builtins", "functools"}
    return named and kind.__dictoffset__ == 0 and "__slots__" not in vars(kind)


def _bytes_of(parts: Iterable[Part]) -> int:
    return sum(part.bytes for part in parts)


def _weight(leak: Leak) -> tuple[int, int, str, str]:
    return -leak.bytes_per_round, -leak.count_per_round, leak.kind, leak.name


def _descriptor_of(obj: Any) -> int:
    """Of a file or socket; -1 of anything else."""
    if not issubclass(type(obj), io.IOBase | socket.socket):
        return -1
    try:
        number = obj.fileno()
    except Exception:  # noqa: BLE001 - closed, in memory only, or somebody's own
        return -1
    return number if isinstance(number, int) else -1


def _waits(task: asyncio.Task[Any]) -> str:
    """The line of a task's own coroutine at which it waits."""
    frame = getattr(task.get_coro(), "cr_frame", None)
    return f", waiting at {os.path.relpath(frame.f_code.co_filename)}:{frame.f_lineno}" if frame else ""
