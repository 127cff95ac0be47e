"""Who holds an object: the shortest way to it from a module, a class, a thread, a task or a running function.

Covers:     one walk over all that is reachable, breadth first from everything that has a name; the holder of each object.
Not here:   the words of a way (`chain`), what grew (`census`).
Holds:      a reference to every reachable object and about 110 bytes for each, until it is dropped.

It goes forward from the names, not backward from the objects (`gc.get_referrers` goes through the whole heap at each
step): one walk gives the shortest ways to all objects at once.
"""

from __future__ import annotations

import array
import asyncio
import contextvars
import gc
import inspect
import itertools
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any, final

from flatwater import limits
from flatwater.proof.leaks import census, figures

OBJECTS_MAX = limits.LEAK_OBJECTS_MAX
FRAMES_MAX = 1_000  # of running functions, looked at for local variables
UNREACHED = ""  # the holder of what no walk reaches

# Nothing that a program makes is reached through these. A bound builtin method is not one: it holds its object.
_ATOMS: frozenset[type] = frozenset(
    (
        int, float, complex, str, bytes, bool, type(None), types.CodeType, types.WrapperDescriptorType,
        types.MethodDescriptorType, types.ClassMethodDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType,
    )
)  # fmt: skip


@final
class Holders:
    """One walk, taken when it is made.

    Args:
        growing: ids of containers that are holders of their own, whoever holds them.
        callables: functions whose closures are names too: the action and its undo.
        loop: the event loop of the rounds.
        wanted: names of the types of objects that will be asked for. Numbers, texts and other objects that hold nothing
            are left out unless theirs is one of them: they are most of the objects. All, if not given.
    """

    __slots__ = ("_growing", "_indexes", "_keepers", "_labels", "_left_out", "_nodes", "_owners", "_parents")

    def __init__(
        self,
        growing: frozenset[int],
        callables: tuple[Callable[[], Any], ...] = (),
        loop: asyncio.AbstractEventLoop | None = None,
        wanted: frozenset[str] | None = None,
    ) -> None:
        self._growing = growing
        self._left_out = frozenset(
            kind for kind in _ATOMS if wanted is not None and census.type_name(kind) not in wanted
        )
        self._nodes: list[object] = []
        self._parents = array.array("q")
        self._owners = array.array("q")  # of what a node holds: itself where it grows, else its own holder
        self._labels: dict[int, str] = {}
        self._indexes: dict[int, int] = {}
        self._keepers: dict[int, int] = {}  # of threads and tasks, which have names of their own: -1 until one is met
        self._leave_out(callables)
        # One after the other: what a module holds is put down to the module, however near a local variable is to it.
        done = 0
        for label, value in _alive():
            self._add_root(value, label)
            self._keepers[id(value)] = -1
        for names in (_lasting(growing), _passing(callables, loop)):
            for label, value in names:
                self._add_root(value, label)
            done = self._go(done)

    def __contains__(self, key: int) -> bool:
        """Whether the object of that id is reachable."""
        return self._indexes.get(key, -1) >= 0

    def holder(self, key: int) -> str:
        """Who holds the object of that id.

        "#" and the id of the nearest growing container on the way to it, else the name the way begins with; `UNREACHED`
        if there is no way.
        """
        index = self._indexes.get(key, -1)
        return UNREACHED if index < 0 else self._holder_at(index)

    def holders(self, keys: Iterable[int]) -> Iterator[str]:
        """`holder` of each; about 0.5 us an object."""
        indexes, parents, owners = self._indexes, self._parents, self._owners
        names: dict[int, str] = {}  # by owner
        for key in keys:
            index = indexes.get(key, -1)
            if index < 0:
                yield UNREACHED
            elif (parent := parents[index]) < 0:
                yield self._labels[index]
            else:
                owner = owners[parent]
                name = names.get(owner)
                if name is None:
                    name = names[owner] = self._holder_at(index)
                yield name

    def way(self, key: int) -> tuple[str, list[object]]:
        """The name the shortest way begins with, and the objects on it, the last one being that of the id."""
        index = self._indexes.get(key, -1)
        if index < 0:
            return UNREACHED, []
        objects: list[object] = []
        last = index
        while index >= 0:
            objects.append(self._nodes[index])
            last, index = index, self._parents[index]
        return self._labels[last], objects[::-1]

    def keeper(self, key: int) -> int | None:
        """The id of what holds the thread or task of that id: the nearest that is no list of Python's own, if any is."""
        index = self._keepers.get(key, -1)
        return None if index < 0 else id(self._nodes[index])

    def depth(self, key: int) -> int:
        """How many steps there are from its name."""
        index = self._indexes.get(key, -1)
        steps = 0
        while index >= 0:
            index = self._parents[index]
            steps += 1
        return steps

    def place(self, key: int) -> int:
        """Of two objects of one holder, the one that comes first is no farther from a name. `depth` goes all the way."""
        return self._indexes.get(key, -1)

    def object_of(self, key: int) -> object:
        """The one of that id, which must be reachable."""
        return self._nodes[self._indexes[key]]

    def _holder_at(self, index: int) -> str:
        parent = self._parents[index]
        owner = index if parent < 0 else self._owners[parent]
        node = self._nodes[owner]
        return f"#{id(node)}" if id(node) in self._growing and owner != index else self._labels[self._root(owner)]

    def _root(self, index: int) -> int:
        while self._parents[index] >= 0:
            index = self._parents[index]
        return index

    def _leave_out(self, callables: tuple[Callable[[], Any], ...]) -> None:
        """Ways through the instrument, and through whole modules, say nothing."""
        for obj in (
            self, self._nodes, self._parents, self._owners, self._labels, self._indexes, self._keepers, callables,
        ):  # fmt: skip
            self._indexes[id(obj)] = -1
        for module in list(sys.modules.values()):
            self._indexes[id(module)] = -1
            names = getattr(module, "__dict__", None)
            if names is not None and id(names) not in self._growing:
                self._indexes[id(names)] = -1
        if id(sys.modules) not in self._growing:
            self._indexes[id(sys.modules)] = -1

    def _add_root(self, value: object, label: str) -> None:
        if id(value) not in self._indexes:
            index = len(self._nodes)
            self._indexes[id(value)] = index
            self._nodes.append(value)
            self._parents.append(-1)
            self._owners.append(index)
            self._labels[index] = label

    def _go(self, index: int) -> int:
        """From that node on to all that are reached."""
        # It runs a million times: every look-up is done before.
        nodes, indexes, growing, owners, left_out, keepers = (
            self._nodes, self._indexes, self._growing, self._owners, self._left_out, self._keepers,
        )  # fmt: skip
        add_node, add_parent, add_owner, referents = (
            nodes.append, self._parents.append, owners.append, gc.get_referents,
        )  # fmt: skip
        is_passed = dict.fromkeys(_ATOMS, True)  # by type: nothing is looked for in these
        number = len(nodes)
        for obj in itertools.islice(nodes, index, None):  # which goes on to what is added meanwhile
            kind = type(obj)
            if kind not in is_passed:
                is_passed[kind] = bool(census.own_types((kind,)))
            if not is_passed[kind]:
                if number > OBJECTS_MAX:
                    break
                owner = owners[index]
                for child in referents(obj):
                    key = id(child)
                    if key not in indexes:
                        if type(child) not in left_out:
                            indexes[key] = number
                            add_node(child)
                            add_parent(index)
                            add_owner(number if key in growing else owner)
                            number += 1
                    elif key in keepers:
                        self._add_keeper(key, index)
            index += 1
        return index

    def _add_keeper(self, key: int, index: int) -> None:
        """That node leads to a thread or task, which is no news if it is below the same."""
        root = self._root(index)
        known = self._keepers[key]
        if root != self._indexes[key] and (known < 0 or self._is_pythons(self._root(known)) > self._is_pythons(root)):
            self._keepers[key] = index

    def _is_pythons(self, root: int) -> bool:
        """Whether that name belongs to what keeps all threads and tasks, or is another of them."""
        return self._labels[root].startswith(_OF_THE_ALIVE)


_OF_THE_ALIVE = (
    "thread ", "task ", "threading.", "concurrent.futures.thread.", "asyncio.", "_asyncio.", "the event loop",
)  # fmt: skip


def _alive() -> Iterator[tuple[str, object]]:
    """Threads and tasks: before the modules that keep lists of them."""
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            yield f"thread {figures.thread_work(thread)}", thread
    for task in tasks():
        yield f"task {task_work(task)}", task


def _lasting(growing: frozenset[int]) -> Iterator[tuple[str, object]]:
    """What stands in modules."""
    modules = sorted(sys.modules.items(), key=_telling)
    seen: set[int] = set()
    for module_name, module in modules:
        names = getattr(module, "__dict__", None)
        if type(names) is not dict or id(module) in seen or module_name.startswith(census.INSTRUMENT):
            continue
        seen.add(id(module))
        is_growing = id(names) in growing
        for name, value in list(names.items()):
            if is_growing and id(value) not in growing:
                continue  # another name each time: what they hold is the module's
            if name not in _NO_NAMES and not issubclass(type(value), types.ModuleType) and _is_home(module_name, value):
                yield f"{module_name}.{name}", value
        if is_growing:
            yield f"globals of {module_name}", names
    if id(sys.modules) in growing:
        yield "sys.modules", sys.modules


def _passing(
    callables: tuple[Callable[[], Any], ...], loop: asyncio.AbstractEventLoop | None
) -> Iterator[tuple[str, object]]:
    """What is there only while something runs: the event loop, local variables, the action and what it closes over."""
    if loop is not None:
        yield "the event loop", loop
    yield from _locals()
    for variable, value in contextvars.copy_context().items():
        yield f"context variable {variable.name!r}", value
    for function in callables:
        yield f"the action {getattr(function, '__qualname__', type(function).__qualname__)}", function


_NO_NAMES = frozenset(("__builtins__", "__loader__", "__spec__", "__doc__", "__cached__"))


def _telling(item: tuple[str, object]) -> tuple[bool, bool]:
    """People's own modules before those of Python, which may hold the same object under another name."""
    name, module = item
    top = name.partition(".")[0]
    is_installed = "site-packages" in str(getattr(module, "__file__", None) or "")
    return top in sys.stdlib_module_names and top != "__main__", is_installed


def _is_home(module_name: str, value: object) -> bool:
    """A class or function is named after the module that defines it, not after one that imports it."""
    # Of its type, not of itself: a proxy pretends to be what it stands for, and may raise when it stands for nothing.
    if not issubclass(type(value), type) and type(value) is not types.FunctionType:
        return True
    home = getattr(value, "__module__", None)
    if not isinstance(home, str) or home == module_name or home not in sys.modules:
        return True
    return getattr(sys.modules[home], getattr(value, "__name__", ""), None) is not value


def tasks() -> list[asyncio.Task[Any]]:
    """Those of all event loops that are not done."""
    objects: list[Any] = gc.get_objects()
    kinds = {kind for kind in set(map(type, objects)) if issubclass(kind, asyncio.Task)}
    return [obj for obj in objects if type(obj) in kinds and not obj.done()] if kinds else []


def task_work(task: asyncio.Task[Any]) -> str:
    """What a task runs, as a name."""
    coroutine = task.get_coro()
    return getattr(coroutine, "__qualname__", None) or type(coroutine).__qualname__


def _locals() -> Iterator[tuple[str, object]]:
    """Local variables of running functions, other than ours; not below a debugger, which writes them back."""
    if sys.gettrace() or sys.getprofile() or threading.gettrace() or threading.getprofile():
        return
    looked_at = 0
    others = {thread.ident: f" in thread {figures.thread_work(thread)}" for thread in threading.enumerate()}
    others.pop(threading.get_ident(), None)
    for ident, innermost in sys._current_frames().items():  # noqa: SLF001 - the documented name
        where = others.get(ident, "")
        frame: types.FrameType | None = innermost
        while frame is not None and looked_at < FRAMES_MAX:
            looked_at += 1
            module = frame.f_globals.get("__name__", "")
            is_ours = isinstance(module, str) and module.startswith(census.INSTRUMENT)
            if frame.f_code.co_flags & inspect.CO_OPTIMIZED and not is_ours:
                kept = frame.f_locals
                for name, value in list(kept.items()):
                    yield f"local variable {name!r} of {frame.f_code.co_qualname}{where}", value
                if type(kept) is dict and sys.getrefcount(kept) == _REFERENCES_OF_FRAME_AND_HERE:
                    kept.clear()  # before Python 3.13 the frame keeps what it was asked for, and would keep it alive
            frame = frame.f_back


_REFERENCES_OF_FRAME_AND_HERE = 3  # the frame's, the variable's and the argument's
