"""A flow: a source and stages, each of which holds a bounded number of bytes. Nothing happens until it is run.

Covers:     putting a flow together, running it, iterating over it, both ways asynchronously too, explaining it.
Not here:   the stages (`pipeline.stages`, `pipeline.grouping`), a run (`pipeline.running`).
Holds:      the source and the functions.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextvars import copy_context
from typing import Any, final

from flatwater import errors, limits
from flatwater.pipeline import checking, loops, promise, running, signals
from flatwater.pipeline.grouping import Group, Window
from flatwater.pipeline.parallel import Parallel
from flatwater.pipeline.place import Batch
from flatwater.pipeline.report import Report
from flatwater.pipeline.running import Run
from flatwater.pipeline.sources import Source
from flatwater.pipeline.stages import Each, Filter, FlatMap, Map, Pipe, Stage
from flatwater.pipeline.writing import To


@final
class Flow:
    """A source and the stages that its items go through, in bounded bytes.

    Lazy and reusable: each verb gives a new flow, and nothing happens until one is run. Picklable, if its source and its
    functions are. Thread-safe, if its source is.

    Items go through the stages in batches of at most `batch_bytes` heap bytes; functions are called with one item.

    Args:
        source: an iterable; something with `batches()`, such as `fw.Table` or `fw.Store`; a queue, read to the item `until`;
            an asynchronous iterable; or a function that returns an iterable, such as a generator function, called anew
            in each run.
        arguments: of that function.
        batch_bytes: heap bytes of a batch between two stages; one item that is larger is a batch by itself.
        batch_rows: items of a batch, at most.
        until: the item that is a queue's last; it is not given.

    >>> flow = Flow(range(10)).filter(lambda n: n % 2).map(lambda n: n * n)
    >>> list(flow), list(flow)
    ([1, 9, 25, 49, 81], [1, 9, 25, 49, 81])
    >>> flow.batch(rows=2).run().items
    3
    """

    def __init__(
        self,
        source: Any,
        *arguments: Any,
        batch_bytes: str | int = limits.FLOW_BATCH_BYTES,
        batch_rows: int = limits.FLOW_BATCH_ROWS,
        until: Any = None,
    ) -> None:
        self._source = Source(source, arguments, until)
        self._batch_bytes = errors.bytes_of(batch_bytes, what="batch_bytes", least=1)
        self._batch_rows = errors.count_of(batch_rows, what="batch_rows", most=limits.FLOW_ROWS_MAX)
        self._stages: tuple[Stage, ...] = ()

    # --- stages -------------------------------------------------------------------------------------------------------

    def map(self, function: Callable[[Any], Any]) -> Flow:
        """`function(item)` in place of each item."""
        return self._with(Map(checking.of_an_item(function)))

    def filter(self, function: Callable[[Any], Any]) -> Flow:
        """The items for which `function(item)` is true."""
        return self._with(Filter(checking.of_an_item(function)))

    def pmap(
        self,
        function: Callable[[Any], Any],
        *,
        workers: int | None = None,
        bytes: str | int = limits.FLOW_PARALLEL_BYTES,  # noqa: A002 - what it bounds
        ordered: bool = True,
        kind: str = "thread",
        timeout: str | float | None = None,
        memory: str | int | None = None,
    ) -> Flow:
        """`function(item)` in place of each item, several at a time, in threads or in processes.

        Threads are for what releases the interpreter's lock; processes for Python code, and for what may crash, hang or take
        too much memory.

        Args:
            function: is called in several threads at once, or in several processes, to which it is sent once.
            workers: threads or processes; as many as there are processors, if not said.
            bytes: heap bytes of items under way and of results that wait behind a slow one; one item that is larger goes
                alone.
            ordered: results in the order of their items; else as they come.
            kind: "thread" or "process".
            timeout: seconds that a call in a process may take (600); one that takes longer is ended.
            memory: bytes that a process may allocate (112 MiB); they are part of what the flow takes from the budget.

        An item whose process died, hung or went over its limit is tried once more, alone; then it has failed. Others of the
        same part may be called twice, too.

        Raises:
            UsageError: an argument that makes no sense. When it runs: a function that cannot be sent to a process.
            WorkerDied, WorkerTimeout, WorkerOverLimit: when it runs, of `fw.worker`, with the item's number.
        """
        if workers is None:
            workers = min(os.cpu_count() or 1, limits.FLOW_WORKERS_MAX)
        count = errors.count_of(workers, what="workers", most=limits.FLOW_WORKERS_MAX)
        size = errors.bytes_of(bytes, what="bytes", least=1)
        if kind != "process":
            if kind != "thread" or timeout is not None or memory is not None:
                raise errors.UsageError(
                    f"kind={kind!r} with timeout={timeout!r} and memory={memory!r}.",
                    hint='Take kind="thread", without the other two, or kind="process".',
                )
            return self._with(Parallel(checking.of_an_item(function), count, size, ordered))
        from flatwater.pipeline.processes import made

        return self._with(
            made(checking.of_an_item(function), count, size, ordered=ordered, timeout=timeout, memory=memory)
        )

    def flat_map(self, function: Callable[[Any], Iterable[Any]]) -> Flow:
        """All items of the iterable `function(item)`, however many, in place of each item."""
        return self._with(FlatMap(checking.function_of(function)))

    def each(self, function: Callable[[Any], Any]) -> Flow:
        """Call `function(item)` for what it does; the items go on."""
        return self._with(Each(checking.of_an_item(function)))

    def tap(self, function: Callable[[Any], Any]) -> Flow:
        """The same as `each`, for a function that only looks on: `tap(print)`."""
        return self._with(Each(checking.of_an_item(function), "tap"))

    def pipe(self, function: Callable[[Iterator[Any]], Iterable[Any]]) -> Flow:
        """A generator function as it is: `function(items)` takes an iterator of all items, and yields others."""
        return self._with(Pipe(checking.function_of(function)))

    def batch(self, *, bytes: str | int = limits.FLOW_GROUP_BYTES, rows: int = limits.FLOW_BATCH_ROWS) -> Flow:  # noqa: A002 - what it bounds
        """Lists of items; from here on, each list is one item.

        Args:
            bytes: heap bytes of a list; one item that is larger comes alone.
            rows: items of a list: so many, but in the last one, or where bytes are full.
        """
        size = errors.bytes_of(bytes, what="bytes", least=1)
        return self._with(Group(size, errors.count_of(rows, what="rows", most=limits.FLOW_ROWS_MAX)))

    def window(self, count: int) -> Flow:
        """Tuples of `count` neighbours: each item with those behind it; fewer items than `count` give none."""
        return self._with(Window(errors.count_of(count, what="count", most=limits.FLOW_WINDOW_MAX)))

    def sort(
        self,
        key: Callable[[Any], Any] | None = None,
        *,
        bytes: str | int = limits.FLOW_SORT_BYTES,  # noqa: A002 - what it bounds
        reverse: bool = False,
        folder: str | os.PathLike[str] = "",
    ) -> Flow:
        """All items in order, however many: what does not fit into `bytes` goes to disk, in sorted runs that are merged.

        Stable, downwards too: items with equal keys stay in their order. Keys are compared by `<`, as by `sorted`; where a
        NaN stands, and what is beside it, is not defined. `key` is called once for each item.

        Args:
            key: of an item; the item itself, if there is none.
            bytes: heap bytes of items and keys in memory; an item that is larger passes, beside another one.
            reverse: downwards.
            folder: for the temporary file, which has no name; that of `tempfile`, if not said, which TMPDIR names. It takes
                about as much as the items; twice as much, if there are more than 64 times `bytes`.

        Raises:
            TypeError: two keys cannot be compared, or an item that has to be written cannot be pickled; a note says which.
            BrokenError: the disk is full.
        """
        from flatwater.pipeline.sorting import Sort

        size = errors.bytes_of(bytes, what="bytes", least=1)
        return self._with(
            Sort(None if key is None else checking.of_an_item(key), size, bool(reverse), os.fspath(folder))
        )

    def distinct(
        self,
        key: Callable[[Any], Any] | None = None,
        *,
        bytes: str | int = limits.FLOW_DISTINCT_BYTES,  # noqa: A002 - what it bounds
        folder: str | os.PathLike[str] = "",
    ) -> Flow:
        """The first item of each key, as items come: also of a source that does not end. Any number of keys.

        Of each key, 16 bytes are remembered: in memory in `bytes`, then on disk. Keys are equal as Python has it: 1, 1.0 and
        True are one; lists, dicts and sets can be keys, and all NaN are one. Objects of other classes are equal if their
        class and what pickle would save of them are.

        Args:
            key: of an item; the item itself, if there is none.
            bytes: heap bytes of digests in memory, 100 to 180 for each key.
            folder: for temporary files, which have no names; that of `tempfile`, if not said. About 17 bytes for each key.

        Raises:
            TypeError: a key is of a class whose objects are equal only to themselves.
            BrokenError: the disk is full.
        """
        from flatwater.pipeline.distinct import Distinct

        size = errors.bytes_of(bytes, what="bytes", least=1)
        return self._with(Distinct(None if key is None else checking.of_an_item(key), size, os.fspath(folder)))

    def merge(
        self,
        *others: Flow,
        key: Callable[[Any], Any] | None = None,
        reverse: bool = False,
        ordered: bool = True,
    ) -> Flow:
        """Items of this flow and of others, which are sorted, as one flow that is sorted.

        Stable: of equal keys, first those of this flow, then those of the next. The others are run as a part of this run, and
        closed with it; what they hold is in its sum. Items that fail in them follow the policy of the run; where that has a
        file of dead letters, such an item ends the run instead.

        Args:
            others: one or more.
            key: by which all of them are sorted; the item itself, if there is none.
            reverse: they are sorted downwards.
            ordered: by keys; else they need not be sorted, and a batch of each comes in turn, until all have ended.

        Raises:
            UsageError: when it runs: one of them is not sorted, and where that shows.
        """
        from flatwater.pipeline.merging import Branch, Merge

        if not others or len(others) >= limits.FLOW_MERGE_MAX or not all(isinstance(each, Flow) for each in others):
            raise errors.UsageError(
                f"merge takes 1 to {limits.FLOW_MERGE_MAX - 1} other flows.", hint="Flow(...).merge(Flow(...))"
            )
        if not ordered and (key is not None or reverse):
            raise errors.UsageError("ordered=False has neither key nor reverse.", hint="Leave them out.")
        branches = tuple(Branch(*each._parts()) for each in others)  # noqa: SLF001 - flows, as this one
        return self._with(
            Merge(branches, None if key is None else checking.of_an_item(key), bool(reverse), bool(ordered))
        )

    def to(
        self,
        sink: Any,
        *,
        format: str | None = None,  # noqa: A002 - as elsewhere
        columns: Sequence[str] | None = None,
        schema: Any = None,
        on_conflict: str | None = None,
    ) -> Flow:
        """Write the items; they go on, so that a flow can have several sinks.

        Args:
            sink: the path of a file, which nobody sees before it is whole: `.jsonl`, `.csv`, `.txt`, `.bin` or `.parquet`; a
                `fw.Table`, into which rows go in short transactions; a `fw.Store` or partition, for (key, value), keys are tuples; a queue,
                whose room the flow waits for; or a function of an item.
            format: of a file whose name does not tell: "jsonl", "csv", "text", "bytes" or "parquet".
            columns: of a CSV file; the fields of its first row, unless told.
            schema: of a Parquet file, of Arrow; that of its first rows, unless told.
            on_conflict: of a table, with a row whose key is there: "raise", "skip" or "update".

        Raises:
            UsageError: it is none of these.
        """
        from flatwater.pipeline.sinks import sink_of

        found = sink_of(sink, format=format, columns=columns, schema=schema, on_conflict=on_conflict)
        return self._with(To(found))

    def _parts(self) -> tuple[Source, tuple[Stage, ...], int, int]:
        return self._source, self._stages, self._batch_bytes, self._batch_rows

    def _with(self, stage: Stage) -> Flow:
        flow = object.__new__(Flow)
        flow._source, flow._stages = self._source, (*self._stages, stage)
        flow._batch_bytes, flow._batch_rows = self._batch_bytes, self._batch_rows
        return flow

    # --- running ------------------------------------------------------------------------------------------------------

    def run(
        self,
        *,
        on_error: str | None = None,
        dead_letters: str | os.PathLike[str] = "",
        checkpoint: str | os.PathLike[str] = "",
        checkpoint_s: float = limits.FLOW_CHECKPOINT_S,
        progress: bool = False,
        on: Any = None,
    ) -> Report:
        """Go through all of it; what comes out at the end is counted and dropped.

        Args:
            on_error: "raise" ends the run at the first item that fails; "skip" passes it over, and tells it in the report.
                "raise", unless there is a file of dead letters.
            dead_letters: path of a file to which items that fail are added, for `replay`.
            checkpoint: path of a file that says how far the job is. A run that was killed goes on from there when it is run
                again: each item once in sinks that are atomic (files, tables, stores), at least once in others. A job that
                came to its end goes on with what its source has got since then; remove the file to begin anew.
            checkpoint_s: seconds from one checkpoint to the next.
            progress: show a line on the terminal: items, rate, time left, memory against the budget.
            on: a Dask cluster for the first stages, as far as they are map, filter, flat_map, each, tap or pmap of threads; the others are
                run here, over what comes back in order. "dask" takes the current client, or starts processes of this machine
                for the run; else a `distributed.Client`, or an address such as "tcp://host:8786". Functions are called at
                least once for each item: what a worker died over, another one does.

        Raises:
            BudgetExceeded: what the stages may hold is more than the ambient budget has; nothing was read.
            MissingExtra: Dask is not installed.
            UsageError: a wrong argument; no stage can run on Dask, or its workers have other versions; the checkpoint is of another flow, or a stage cannot have one.
            BrokenError: a sink could not be written; the cluster is gone, or its workers died over the same items.
            LimitReached: one batch of the source becomes more than a worker may send back; there are no workers.
            Exception: what a function raises, with a note that names stage, item and source.
        """
        return self._run(on_error, dead_letters, checkpoint, checkpoint_s, progress=progress, on=on).drained()

    async def arun(self, **options: Any) -> Report:
        """`run`, with its options, in a thread: the event loop goes on. When the task is cancelled, it ends at the next batch."""
        import asyncio

        loops.current.set(asyncio.get_running_loop())
        run = self._run(**options)
        with signals.ended_by_sigterm():
            work = asyncio.ensure_future(asyncio.to_thread(run.drained))
            try:
                return await asyncio.shield(work)
            except asyncio.CancelledError:
                run.stop()
                await loops.ended(work)  # that it was stopped is no news
                raise

    def replay(
        self,
        letters: str | os.PathLike[str],
        *,
        on_error: str | None = None,
        dead_letters: str | os.PathLike[str] = "",
        trusted: bool = False,
    ) -> Report:
        """Run the items of a file of dead letters again, each from the stage in which it failed; the source is not read.

        Args:
            letters: the file, which stays as it is. Files that the flow writes have these items alone: name others in `to`.
            on_error: as of `run`.
            dead_letters: another file, for those that fail again.
            trusted: nobody else can write to `letters`: pickled objects in it may be read, which can run any code.

        Raises:
            UsageError: it is no file of dead letters, or of another flow, or an item in it cannot be run again.
        """
        from flatwater.pipeline.replaying import Letters

        if dead_letters and os.path.realpath(dead_letters) == os.path.realpath(letters):
            raise errors.UsageError("what fails again cannot go to the file that is read.", hint="Name another file.")
        source = Source((), ())
        options = self._options(on_error, dead_letters)
        options = dataclasses.replace(options, injected=Letters(letters, self._stages, trusted=trusted).of_stage)
        return Run(source, self._stages, options).drained()

    def __iter__(self) -> Iterator[Any]:
        for batch in self._run().batches():
            turns = iter(batch)
            del batch
            yield from turns

    async def __aiter__(self) -> AsyncIterator[Any]:
        """The items that `for` gives; all work is done in one thread, so that the event loop goes on."""
        import asyncio
        from concurrent.futures import ThreadPoolExecutor

        loop = asyncio.get_running_loop()
        loops.current.set(loop)
        run, context = self._run(), copy_context()
        batches = run.batches()

        def taken() -> Batch | None:
            return context.run(lambda: next(batches, None))

        reading: asyncio.Future[Batch | None] | None = None
        with ThreadPoolExecutor(1, "flatwater-flow") as thread:  # one: connections of databases belong to their thread
            try:
                while True:
                    reading = loop.run_in_executor(thread, taken)
                    batch = await asyncio.shield(reading)
                    reading = None
                    if batch is None:
                        return
                    turns = iter(batch)
                    del batch
                    for item in turns:
                        yield item
            finally:
                if reading is not None and not reading.done():
                    run.stop()
                    reading.add_done_callback(lambda done: done.cancelled() or done.exception())  # that is no news
                closing = loop.run_in_executor(thread, context.run, batches.close)  # behind what the thread does
                await loops.ended(closing)
                closing.result()

    def _run(self, *options: Any, **named: Any) -> Run:
        return Run(self._source, self._stages, self._options(*options, **named))

    def _options(
        self,
        on_error: str | None = None,
        dead_letters: str | os.PathLike[str] = "",
        checkpoint: str | os.PathLike[str] = "",
        checkpoint_s: float = limits.FLOW_CHECKPOINT_S,
        *,
        progress: bool = False,
        on: Any = None,
    ) -> running.Options:
        if on_error is None:
            on_error = "skip" if dead_letters else "raise"
        elif dead_letters and on_error != "skip":
            raise errors.UsageError(f"dead_letters= and on_error={on_error!r}.", hint="Leave on_error out.")
        if (
            isinstance(checkpoint_s, bool)
            or not isinstance(checkpoint_s, int | float)
            or not 0 < checkpoint_s < math.inf
        ):
            raise errors.UsageError(f"checkpoint_s={checkpoint_s!r} is no number of seconds.")
        return running.Options(
            self._batch_bytes, self._batch_rows, on_error, dead_letters, checkpoint, float(checkpoint_s), progress, on
        )

    # --- what it takes ------------------------------------------------------------------------------------------------

    def bytes_max(self, *, on: Any = None) -> int:
        """The most that all stages hold together, in bytes, beside the largest item; `run` takes it from the budget.

        Args:
            on: as of `run`: then what is held here.
        """
        return sum(count for _name, count in promise.holders(self._source, self._stages, self._batch_bytes, on))

    def explain(self, *, on: Any = None) -> str:
        """Who holds how much, addend by addend; with `on` as of `run`, which stages go there."""
        return promise.explained(self._source, self._stages, self._batch_bytes, on)

    def __repr__(self) -> str:
        return " ".join([f"<Flow of {self._source.name}", *(f".{stage.name}" for stage in self._stages)]) + ">"
