"""pmap in worker processes: the same window of bytes, and a function that may crash, hang or take too much memory.

Covers:     a stage's worker processes from the first part to the end of the run, sending parts, finding the item that ended
            a worker, ending early.
Not here:   the window (`pipeline.parallel`), the worker's side (`pipeline.serving`), a process (`worker.process`).
Holds:      what `Processes.bytes_max` adds up.

A part whose worker died, hung or went over its limit is done again, one item at a time in a fresh worker. The item that ends
that one, too, has failed; the others are done.
"""

from __future__ import annotations

import pickle
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Any, ClassVar, final

from flatwater import errors, limits, units
from flatwater.pipeline import serving
from flatwater.pipeline.arena import Arena, Message
from flatwater.pipeline.parallel import UnderWay
from flatwater.pipeline.parts import Part
from flatwater.pipeline.place import Batch, Place
from flatwater.pipeline.policy import Policy
from flatwater.pipeline.stages import Function, name_of
from flatwater.worker.failures import (
    CallFailed,
    CallNotPicklable,
    ResultNotPicklable,
    WorkerDied,
    WorkerOverLimit,
    WorkerTimeout,
)
from flatwater.worker.handle import refusal
from flatwater.worker.process import Worker

_POLL_S = 0.02  # between looks at workers that are being ended
_TRACEBACK_CHARS = 8_000  # of a worker's traceback, its end


@dataclass(frozen=True, slots=True)
class Processes:
    """The function's result in place of each item, from several processes.

    Attributes:
        function: of an item; it is sent to each worker once.
        workers: processes.
        window_bytes: of items under way and of results that wait.
        ordered: results in the order of their items.
        timeout_s: seconds that a call may take.
        memory_bytes: limit of a worker.
        holds_results: it may have some while its source waits.
        takes_references: it can be given pieces of files by their places.
    """

    function: Function
    workers: int
    window_bytes: int
    ordered: bool
    timeout_s: float
    memory_bytes: int
    takes_references: ClassVar[bool] = True
    holds_results: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """For people."""
        return f"pmap({name_of(self.function)}, {self.workers} processes)"

    @property
    def apart(self) -> tuple[str, int]:
        """What its workers may take of the sum, for people."""
        name = f"its workers: {self.workers} of {units.format_bytes(self.memory_bytes)}"
        return name, self.workers * self.memory_bytes

    def bytes_max(self, batch_bytes: int) -> int:
        """The most it holds, in bytes, beside the largest item and its result for each worker."""
        total = 0
        total += self.window_bytes  # inputs under way, and results that wait
        total += batch_bytes  # the batch that parts are cut from
        total += self.workers * 2 * batch_bytes  # a part and its results, pickled
        total += self.workers * 2 * limits.FLOW_ARENA_BYTES  # shared memory, to each worker and back
        total += self.workers * self.memory_bytes  # the workers, each below its limit
        return total

    def over(self, batches: Iterator[Batch], place: Place) -> Iterator[Batch]:
        """Results, in the order of their items if that was asked for. Its workers stay from one segment to the next."""
        crew = place.kept if place.kept is not None else _Crew(self, place.policy)
        place.kept = crew
        is_over = False
        try:
            yield from UnderWay(place, crew, self.workers, self.window_bytes, ordered=self.ordered).run(batches)
            is_over = True
        finally:
            if place.segment.is_last or not is_over:
                place.kept = None
                crew.end(is_over=is_over)


def made(
    function: Function,
    workers: int,
    window_bytes: int,
    *,
    ordered: bool,
    timeout: Any,
    memory: Any,
) -> Processes:
    """The stage, with what a user said about its processes, or their defaults.

    Raises:
        UsageError: that makes no sense.
    """
    timeout_s = errors.seconds_of(
        limits.FLOW_ITEM_S if timeout is None else timeout, what="timeout", most=limits.WAIT_S_MAX
    )
    memory_bytes = errors.bytes_of(
        limits.FLOW_WORKER_BYTES if memory is None else memory, what="memory", least=limits.LIMIT_BYTES_MIN
    )
    return Processes(function, workers, window_bytes, ordered, timeout_s, memory_bytes)


class _Call:
    """A function of `pipeline.serving`, under the name of the user's function: errors of a worker show it."""

    def __init__(self, name: str, asked: str) -> None:
        self.__qualname__ = name
        self._asked = asked

    def __call__(self) -> None:
        """It is called over there."""

    def __reduce__(self) -> tuple[Any, ...]:
        return serving.asked, (self._asked,)


class _Told(Exception):  # noqa: N818 - it carries the error
    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.cause = cause


class _Unsuitable(_Told):
    """A part could not be read on one of both sides: one of its items cannot."""


class _NotReady(_Told):
    """A worker could not be started, or not load the function."""


_ENDED = (WorkerDied, WorkerTimeout, WorkerOverLimit, _Unsuitable)  # a part is done again, one by one


@final
class _Member:
    """One worker, and the shared memory between it and this process."""

    def __init__(self, stage: Processes, function: bytes) -> None:
        self._stage = stage
        self._function = function
        self._call = _Call(name_of(stage.function), "serve")
        self._prepared = 0  # the process that has the function
        self._asks = Arena.made()
        try:
            self._answers = Arena.made()
            limit_kind = "rlimit_data" if sys.platform == "linux" else "auto"  # elsewhere there is none
            self.worker = Worker(
                stage.memory_bytes, limit_kind=limit_kind, inherited=(self._asks.descriptor, self._answers.descriptor)
            )
        except BaseException:
            self._asks.close()
            raise

    def exchanged(self, items: Batch, *, goes_on: bool, result_bytes: int = 0) -> tuple[serving.Answer, Batch]:
        """What came out of some items: of the first ones, as long as results are no more than `result_bytes`.

        Raises:
            WorkerDied, WorkerTimeout, WorkerOverLimit: it has no answer.
            _Unsuitable: the items cannot be sent, or the results not read.
        """
        asked = sent = 0
        try:
            try:
                message = self._asks.put(items)
            except Exception as error:  # noqa: BLE001 - whatever somebody's object does
                raise _Unsuitable(
                    CallNotPicklable(
                        f"the item cannot be sent to another process: {type(error).__name__}: {error}.",
                        hint="Send plain data, or the path of a file.",
                    )
                ) from None
            asked = message.bytes_used
            answer = self._asked(tuple(message), goes_on, result_bytes)
            if not answer.message:
                raise _Unsuitable(
                    CallNotPicklable(
                        f"a worker cannot read the item: {_line_of(answer.failures[0][2])}.",
                        hint="Can it be imported, and unpickled, in a fresh process?",
                    )
                ) from None
            found = Message(*answer.message)
            sent = found.bytes_used
            try:
                return answer, self._answers.take(found)
            except Exception as error:  # noqa: BLE001 - the same
                raise _Unsuitable(
                    ResultNotPicklable(
                        f"what {name_of(self._stage.function)} returned cannot be read back: {error}.",
                        hint="Return plain data.",
                    )
                ) from None
        finally:
            self._asks.trim(asked)
            self._answers.trim(sent or limits.FLOW_ARENA_BYTES + 1)

    def close(self, *, is_over: bool) -> None:
        """Let it end by itself, or end it at once."""
        if not is_over:
            self.worker.kill()
        self.worker.close()
        self._asks.close()
        self._answers.close()

    def _asked(self, *arguments: Any) -> serving.Answer:
        while True:
            if not self._prepared or self._prepared != self.worker.pid:
                self._prepare()
            answer = self.worker.run(self._call, arguments, timeout=self._stage.timeout_s).value
            if answer is not None:
                return serving.Answer(*answer)
            self._prepared = 0  # it died idle, and another one was started

    def _prepare(self) -> None:
        """Start it, and have it load the function.

        Raises:
            _NotReady: that cannot be done, which is no item's fault.
        """
        arguments = (self._function, self._asks.descriptor, self._answers.descriptor)
        for is_last in (False, True):
            try:
                self.worker.run(_prepare_call(self._stage), arguments, timeout=limits.FLOW_WORKER_START_S)
                break
            except WorkerDied as error:  # somebody may have killed it
                if is_last:
                    raise _NotReady(error) from None
            except errors.FlatwaterError as error:
                raise _NotReady(_hinted(error)) from None
            except Exception as error:
                raise _NotReady(
                    CallNotPicklable(
                        f"a worker cannot load {name_of(self._stage.function)}: {type(error).__name__}: {error}.",
                        hint="Can it be imported, and unpickled, in a fresh process?",
                    )
                ) from error
        self._prepared = self.worker.pid


@final
class _Crew:
    """The workers of one run. One thread begins and ends; each worker has a thread that waits for it."""

    part_s: ClassVar[float] = 0.02  # sending one to a worker and back costs about 250 us

    def __init__(self, stage: Processes, policy: Policy) -> None:
        self._stage = stage
        self._policy = policy
        self._goes_on = policy.name != "raise"
        self._function = _sendable(stage.function)
        self._pool = ThreadPoolExecutor(stage.workers, "flatwater-pmap")
        self._members: list[_Member] = []
        self._idle: list[_Member] = []
        self._changed = threading.Condition()
        self._is_ending = False

    def begin(self, part: Part) -> Future[Batch]:
        """Do the items in its box."""
        return self._pool.submit(self._done, part)

    def end(self, *, is_over: bool) -> None:
        """No part is begun any more. Workers end by themselves if the run is over, else at once."""
        with self._changed:
            self._is_ending = True
        if is_over:
            for member in self._members:
                self._pool.submit(member.close, is_over=True)
            self._pool.shutdown(wait=True)
            return
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._changed:
            while len(self._idle) < len(self._members):  # more than once: one may just be starting its worker
                for member in self._members:
                    member.worker.interrupt()
                self._changed.wait(_POLL_S)
        self._pool.shutdown(wait=True)
        for member in self._members:
            member.close(is_over=False)

    # --- in a thread --------------------------------------------------------------------------------------------------

    def _done(self, part: Part) -> Batch:
        items = part.box.pop()
        if not part.share.may_begin:
            part.rest = items
            return []
        member = self._taken()
        try:
            return self._together(member, part, items)
        except _ENDED:
            self._check()
            return self._one_by_one(member, part, items)
        except _NotReady as error:
            raise error.cause from None
        finally:
            with self._changed:
                self._idle.append(member)
                self._changed.notify()

    def _taken(self) -> _Member:
        """A worker that has nothing to do."""
        with self._changed:
            self._check()
            if not self._idle:
                try:
                    member = _Member(self._stage, self._function)
                except OSError as error:
                    raise refusal(error) from error
                self._members.append(member)
                return member
            return self._idle.pop()

    def _check(self) -> None:
        if self._is_ending:
            raise errors.ClosedError("the run was ended.", hint="Run the flow again.")

    def _together(self, member: _Member, part: Part, items: Batch) -> Batch:
        answer, results = member.exchanged(
            items, goes_on=self._goes_on, result_bytes=part.share.most(self._stage.workers)
        )
        part.took_s = answer.took_s
        part.share.count, part.rest = answer.done, items[answer.done :]
        self._tell(part, items, answer.failures, 0)
        return results

    def _one_by_one(self, member: _Member, part: Part, items: Batch) -> Batch:
        """Once more, to find the item that ends a worker, or cannot be sent."""
        results: Batch = []
        begun = perf_counter()
        for at, item in enumerate(items):
            try:
                answer, found = member.exchanged([item], goes_on=self._goes_on)
            except _ENDED as error:
                self._check()
                failure = error.cause if isinstance(error, _Unsuitable) else _hinted(error)
                self._policy.failed(part.gauge, part.gauge.items_in + at + 1, item, failure)
            else:
                self._tell(part, items, answer.failures, at)
                results += found
        part.took_s = perf_counter() - begun
        return results

    def _tell(self, part: Part, items: Batch, failures: list[tuple[int, str, bytes]], first: int) -> None:
        """Hand items that failed to the policy.

        Raises:
            BrokenError: the file that an item stands in cannot be read, which no policy passes over.
            What the function raised, under the policy "raise".
        """
        for at, kind, told in failures:
            pickled, line, text = pickle.loads(told)  # noqa: S301 - our own worker's
            error = _error_of(name_of(self._stage.function), kind, pickled, line)
            if kind == serving.BROKEN:
                raise error
            if not self._goes_on:
                error.add_note(f"In a worker process:\n{text[-_TRACEBACK_CHARS:].rstrip()}")
            self._policy.failed(part.gauge, part.gauge.items_in + first + at + 1, items[first + at], error)


def _sendable(function: Function) -> bytes:
    """It, pickled: by name what can be imported, by value what is of the main module, or a lambda.

    Raises:
        UsageError: it cannot be.
    """
    import cloudpickle

    try:
        pickled: bytes = cloudpickle.dumps(function)
    except Exception as error:
        raise CallNotPicklable(
            f"{name_of(function)} cannot be sent to another process: {type(error).__name__}: {error}.",
            hint='Open files, locks and connections in the function, or take kind="thread".',
        ) from error
    return pickled


def _prepare_call(stage: Processes) -> Any:
    return _Call(f"loading {name_of(stage.function)}", "prepare")


def _hinted(error: Exception) -> Exception:
    """With what to do about it in this stage."""
    if isinstance(error, WorkerOverLimit):
        error.hint = "Raise memory=, or have the function take less at a time."
    elif isinstance(error, WorkerTimeout):
        error.hint = "Raise timeout=, or have the function do less at a time."
    return error


def _error_of(name: str, kind: str, pickled: bytes, line: str) -> Exception:
    """What happened to an item, as an exception of this process."""
    if kind == serving.UNSENDABLE:
        return ResultNotPicklable(
            f"what {name} returned cannot be sent back: {line}.",
            hint="Return plain data: numbers, text, bytes, lists, dicts.",
        )
    try:
        raised = pickle.loads(pickled) if pickled else None  # noqa: S301 - our own worker's
    except Exception:  # noqa: BLE001 - what the worker can import, this process may not
        raised = None
    if not isinstance(raised, Exception):
        return CallFailed(f"{name} raised {line}.", hint="That exception cannot be pickled.")
    return raised


def _line_of(told: bytes) -> str:
    line: str = pickle.loads(told)[1]  # noqa: S301 - our own worker's
    return line
