"""The file that says how far a job has come: where its source is, what its stages carry over, what its sinks have.

Covers:     reading it, writing it at once, refusing another flow's, one run at a time.
Not here:   when it is written (`pipeline.running`), what sinks keep themselves (`pipeline.sinks`).
Holds:      what it says.

It is written after the sinks have committed. A sink that commits in a transaction of its own keeps the number of the
checkpoint there: one ahead of this file, when the program was killed between the two.

It holds Python objects (places of sources, items that stages carry over), pickled: as trusted as the program itself.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import pickle
import uuid
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from typing import Any, final

from flatwater import errors, limits
from flatwater.pipeline.reading import Position
from flatwater.pipeline.sinks.base import Record
from flatwater.pipeline.stages import Stage
from flatwater.pipeline.writing import To
from flatwater.store.directory import sync_directory, write_whole

_MAGIC = b"flatwater checkpoint 1\n"
_DIGEST_BYTES = 16


@final
@dataclass(slots=True)
class State:
    """How far a job has come.

    Attributes:
        job: its name for sinks.
        stages: names of the source and the stages.
        epoch: how many checkpoints there were.
        position: of the source.
        carried: what each stage carries over.
        sinks: what each stage's sink returned from its last commit.
        dead_letters: the path of their file and its bytes, while the job is under way.
        is_over: a stage wanted no more, and all that it took is in the sinks: the source is not read again.
        is_done: the source had come to its end, or a stage wanted no more, and the sinks are finished.
    """

    stages: list[str]
    job: str = field(default_factory=lambda: uuid.uuid4().hex)
    epoch: int = 0
    position: Position = field(default_factory=Position)
    carried: dict[int, list[Any]] = field(default_factory=dict)
    sinks: dict[int, Any] = field(default_factory=dict)
    dead_letters: tuple[str, int] | None = None
    is_over: bool = False
    is_done: bool = False

    @property
    def record(self) -> Record:
        """For sinks that keep it themselves."""
        return Record(self.job, self.epoch, self.position.count)


@final
class Checkpoint:
    """The file of one job, held by one run. A context manager.

    Args:
        path: of the file.
        stages: names of the flow's source and stages.

    Raises:
        UsageError: the file is of another flow, or no checkpoint, or its folder is not there, or another run has it.
        CorruptError: it cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str], stages: Sequence[str]) -> None:
        self.path = os.path.realpath(os.fspath(path))
        if os.path.exists(self.path) and not os.path.isfile(self.path):
            raise errors.UsageError(f"{self.path} is no file.", hint="Name one for the checkpoint.")
        self._lock = self._locked()
        try:
            self.state = self._read(list(stages)) or self._begun(list(stages))
        except BaseException:
            self.close()
            raise

    def _begun(self, stages: list[str]) -> State:
        self.state = State(stages)
        self.save()  # its job has a name before any sink hears of it
        return self.state

    def save(self) -> None:
        """Write the state, at once: after a kill there is the one before it, or this one.

        Raises:
            UsageError: it cannot be pickled.
            LimitReached: it is too large.
            BrokenError: it could not be written.
        """
        try:
            body = pickle.dumps(_fields(self.state), pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            raise errors.UsageError(
                f"what stages carry over, or where the source is, cannot be pickled for {self.path}: {error}.",
                hint="Give batch(...) and window(...) plain data, and make objects of it behind them.",
            ) from error
        if len(body) > limits.FLOW_CHECKPOINT_BYTES:
            raise errors.LimitReached(
                f"the checkpoint {self.path} would have {len(body):,} bytes.",
                what="FLOW_CHECKPOINT_BYTES", limit=limits.FLOW_CHECKPOINT_BYTES,
                hint="Stages carry over as much: smaller groups in batch(...) or window(...) take less.",
            )  # fmt: skip
        try:
            write_whole(self.path, _MAGIC + hashlib.blake2b(body, digest_size=_DIGEST_BYTES).digest() + body)
            sync_directory(os.path.dirname(self.path))
        except OSError as error:
            raise errors.BrokenError(
                f"the checkpoint {self.path} could not be written: {error.strerror}.",
                hint="What came since the last one is done again by the next run.",
            ) from error

    def refuse_another_day(self, record: Record, name: str) -> None:
        """A sink is at the checkpoint of the file, or one ahead.

        Raises:
            CorruptError: it is not.
        """
        state = self.state
        if record.epoch not in {state.epoch, state.epoch + 1} or record.count < state.position.count:
            raise errors.CorruptError(
                f"{name} has checkpoint {record.epoch} of the job, at item {record.count:,}, and the file has "
                f"{state.epoch}, at item {state.position.count:,}.",
                hint="One of them is a copy of another day. Put the right one back, or remove both to begin anew.",
            )

    def refuse_gone(self, stages: Sequence[Stage]) -> None:
        """A job that came to its end, and has nothing to do, has its files.

        Raises:
            CorruptError: one is not there.
        """
        for stage in stages:
            path = getattr(stage.sink, "path", "") if isinstance(stage, To) else ""
            if path and not os.path.lexists(path):
                raise errors.CorruptError(
                    f"the job of {self.path} has come to its end, and {path}, which it wrote, is gone.",
                    hint="Put the file back, or remove the checkpoint to begin anew.",
                )

    def close(self) -> None:
        """Let another run have it."""
        os.close(self._lock)

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, stages: list[str]) -> State | None:
        try:
            with open(self.path, "rb") as file:
                text = file.read(limits.FLOW_CHECKPOINT_BYTES + len(_MAGIC) + _DIGEST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise errors.BrokenError(f"{self.path} cannot be read: {error.strerror}.", hint="Look at it.") from error
        if text.startswith(_MAGIC[:-2]) and not text.startswith(_MAGIC):
            raise errors.UsageError(
                f"{self.path} was written by another version of flatwater.",
                hint="Run it with that, or remove the file.",
            )
        if not text.startswith(_MAGIC):
            raise errors.UsageError(f"{self.path} is no checkpoint.", hint="Name another file.")
        digest, body = text[len(_MAGIC) :][:_DIGEST_BYTES], text[len(_MAGIC) + _DIGEST_BYTES :]
        if hashlib.blake2b(body, digest_size=_DIGEST_BYTES).digest() != digest:
            raise errors.CorruptError(f"the checkpoint {self.path} is damaged.", hint="Remove it to begin anew.")
        try:
            fields = pickle.loads(body)  # noqa: S301 - our own, as trusted as the program
            found = State(**{**fields, "position": Position(*fields["position"])})
        except Exception as error:
            raise errors.CorruptError(
                f"the checkpoint {self.path} cannot be read: {error}.",
                hint="Run it with the program that wrote it, or remove it to begin anew.",
            ) from error
        if found.stages != stages:
            raise errors.UsageError(
                f"{self.path} is the checkpoint of another flow: {', '.join(found.stages)}; "
                f"this one is {', '.join(stages)}.",
                hint="Use another file, or remove it to begin anew.",
            )
        return found

    def _locked(self) -> int:
        """A lock beside the file, which itself is replaced each time."""
        try:
            lock = os.open(self.path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except FileNotFoundError as error:
            raise errors.UsageError(
                f"the folder of the checkpoint {self.path} is not there.", hint="Make it first."
            ) from error
        except OSError as error:
            raise errors.BrokenError(
                f"the checkpoint {self.path} cannot be opened: {error.strerror}.", hint="Look at the folder's rights."
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            if error.errno not in {errno.EWOULDBLOCK, errno.EACCES}:
                raise
            raise errors.UsageError(
                f"another run has the checkpoint {self.path}.", hint="Wait for its end; one job has one checkpoint."
            ) from error
        return lock


def _fields(state: State) -> dict[str, Any]:
    """Its fields, as they are: nothing in them is copied."""
    return {name: getattr(state, name) for name in State.__slots__} | {"position": astuple(state.position)}
