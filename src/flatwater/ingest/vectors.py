"""The vectors of one generation of a corpus: rows of flat files that only grow.

Covers:     ids, i8 and f32 rows by slot; appending, cutting back, reading; live rows copied into another generation.
Not here:   how many rows count and which are live (SQLite says so), comparing vectors (`ingest.scan`).
Holds:      the rows that are being written or copied, see `Vectors.bytes_max`; and one id of each 4,096 slots.

A folder has four files, and a vector is one row, its slot, in each:

    ids.u64            the chunk's id; ids only grow, so that a chunk's slot is found by halving, without an index
    vectors-WIDTH.i8   the vector divided by its largest value, times 127
    scales.f32         the length of the vector divided by that of its i8 row, which makes the rows' products comparable
    vectors-WIDTH.f32  the vector

All is little-endian, without headers. The number of rows that count stands elsewhere, and is written after `sync`; what is behind
it was left by a run that was killed, and is cut off by the next writer. There is one writer. Readers open the files for
themselves, and go on reading a generation that was deleted meanwhile.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Self, final

from flatwater import limits
from flatwater.errors import BrokenError, ClosedError, CorruptError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Masks = Callable[[int], bytes | None]

ID_BYTES = 8
SCALE_BYTES = 4
IDS, SCALES, BYTES, WHOLE = range(4)  # the files, in this order
HINT = "Restore the corpus from a copy, or remove it and ingest its sources again."
FLAGS = os.O_CLOEXEC | getattr(os, "O_BINARY", 0)
LEAST = 1e-30  # a vector without a larger value is taken as zero


class GenerationGone(CorruptError):  # noqa: N818 - said of the generation
    """The files are not there. A reader that has just looked up the generation looks again: a writer replaced it."""


@final
class Vectors:
    """The vectors of one generation, open for reading or writing.

    Use `reading` or `writing` to open one, and `close` it, or use it in a `with`. Methods that read may be called by several
    threads at a time; those that write by one.

    Attributes:
        folder: where the files are.
        width: dimensions.
        count: rows written, of a writer; a reader's methods are told how many count.
    """

    def __init__(self, folder: str | os.PathLike[str], width: int, files: tuple[int, ...], count: int) -> None:
        import numpy as np

        self.folder = Path(folder)
        self.width = width
        self.count = count
        self._files = files
        self._units = (ID_BYTES, SCALE_BYTES, width, 4 * width)
        self._last_id = -1
        self._firsts: NDArray[np.uint64] = np.empty(0, np.uint64)  # see `slots_of`

    @classmethod
    def reading(cls, folder: str | os.PathLike[str], width: int) -> Self:
        """The vectors of a folder, to be read, whatever a writer does meanwhile.

        Raises:
            GenerationGone: there are no such files.
            CorruptError: the vectors there have another width.
        """
        return cls(folder, width, _opened(Path(folder), width, os.O_RDONLY), 0)

    @classmethod
    def writing(cls, folder: str | os.PathLike[str], width: int, count: int = 0) -> Self:
        """The vectors of a folder, to be appended to behind `count` rows. With a `count` of 0 the folder is made if need be.

        What is behind these rows is cut off: a run that was killed left it.

        Raises:
            GenerationGone: there are no such files, and they have rows.
            CorruptError: there are fewer rows than `count`, or they have another width; nothing is cut off then.
            BrokenError: the disk is full, or refuses.
        """
        place = Path(folder)
        if count == 0:
            try:
                place.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise BrokenError(f"{place} cannot be made: {error.strerror}.") from error
        vectors = cls(place, width, _opened(place, width, os.O_RDWR | (os.O_CREAT if count == 0 else 0)), count)
        try:
            vectors.check(count)
            vectors.truncate(count)
            if count == 0:
                _sync_folder(place)
        except BaseException:
            vectors.close()
            raise
        return vectors

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; without `sync`, what was appended may be lost with the machine, not with the process."""
        files, self._files = self._files, ()
        for file in files:
            os.close(file)

    def bytes_max(self) -> int:
        """The most that one call holds, in bytes, beside what it is given and what it returns."""
        rows = max(1, limits.INGEST_APPEND_BYTES // (4 * self.width))
        total = 0
        total += rows * self.width * 4  # `append`: the vectors of a piece, if they came in another form
        total += rows * self.width * 4  # these in units of 1/127 of their largest values; their absolute values before
        total += rows * self.width  # these as i8
        total += rows * (ID_BYTES + 6 * SCALE_BYTES)  # their ids, largest values, lengths and scales
        return max(total, 2 * limits.INGEST_COPY_BYTES)  # `copy_live`: a piece, and what is live in it

    # --- writing

    def append(self, ids: NDArray[np.uint64], vectors: NDArray[np.float32]) -> None:
        """Write `(n, width)` f32 vectors behind the others; they count when `count` is committed, after `sync`.

        Args:
            ids: of their chunks, ascending, and above all before.
            vectors: of a length of about 1; without NaN and infinity.

        Raises:
            BrokenError: the disk is full, or refuses; `count` is as before, and the next call writes over the torn rows.
        """
        import numpy as np

        assert vectors.shape == (len(ids), self.width)
        if not len(ids):
            return
        assert int(ids[0]) > self._last_id
        assert bool((ids[1:] > ids[:-1]).all())
        at = self.count
        rows = max(1, limits.INGEST_APPEND_BYTES // (4 * self.width))
        for first in range(0, len(ids), rows):
            piece = np.ascontiguousarray(vectors[first : first + rows], np.float32)
            assert bool(np.isfinite(np.abs(piece).max()))  # which is NaN if one of them is
            levels, scales = quantised(piece)
            of_ids = np.ascontiguousarray(ids[first : first + rows], "<u8")
            self._put(at, (of_ids, scales.astype("<f4", copy=False), levels, np.ascontiguousarray(piece, "<f4")))
            at += len(piece)
        self.count, self._last_id = at, int(ids[-1])

    def sync(self) -> None:
        """What was appended is on disk when this returns.

        Raises:
            BrokenError: the disk did not take it.
        """
        data_only = getattr(os, "fdatasync", os.fsync)  # macOS has none
        try:
            for file in self._open_files():
                data_only(file)
        except OSError as error:
            raise BrokenError(f"{self.folder} cannot be written to the disk: {error.strerror}.") from error

    def truncate(self, count: int) -> None:
        """Cut off what is behind `count` rows."""
        try:
            for file, unit in zip(self._open_files(), self._units, strict=True):
                if os.fstat(file).st_size > count * unit:
                    os.ftruncate(file, count * unit)
        except OSError as error:
            raise BrokenError(f"{self.folder} cannot be cut back: {error.strerror}.") from error
        self.count = count
        self._last_id = int(self.ids_at([count - 1])[0]) if count else -1
        self._firsts = self._firsts[: -(-count // limits.INGEST_IDS_STEP)]

    def copy_live(self, source: Vectors, count: int, masks: Masks | None) -> None:
        """Append the rows of `source` that are live, as they are, below `count`; `masks` as in `scan.nearest`.

        Raises:
            CorruptError: `source` has fewer rows.
            BrokenError: the disk is full, or refuses.
        """
        import numpy as np

        assert source.width == self.width
        source.check(count)
        rows = max(1, limits.INGEST_COPY_BYTES // sum(self._units))
        for first, live in live_blocks(count, masks):
            for start in range(0, len(live), rows):
                kept = live[start : start + rows]
                if not kept.any():
                    continue
                columns = []
                for at in range(len(self._units)):
                    piece = np.empty((len(kept), self._units[at]), np.uint8)
                    source.read_into(at, first + start, piece)
                    columns.append(piece if kept.all() else piece[kept])
                ids = columns[IDS].view("<u8")
                assert int(ids[0, 0]) > self._last_id
                self._put(self.count, tuple(columns))
                self.count, self._last_id = self.count + len(ids), int(ids[-1, 0])

    # --- reading

    def check(self, count: int) -> None:
        """That there are at least `count` rows.

        Raises:
            CorruptError: there are not.
        """
        for at, (file, unit) in enumerate(zip(self._open_files(), self._units, strict=True)):
            if (size := os.fstat(file).st_size) < count * unit:
                name = self.folder / names(self.width)[at]
                raise CorruptError(f"{name} has {size // unit:,} vectors; {count:,} were written.", hint=HINT)

    def slots_of(self, ids: NDArray[np.uint64], count: int) -> NDArray[np.int64]:
        """The slot of each id among the first `count` rows, -1 for one that is not there.

        The first id of each stretch of `limits.INGEST_IDS_STEP` slots is kept, and a stretch is read if one of `ids` lies in it.
        """
        import numpy as np

        slots = np.full(len(ids), -1, np.int64)
        if count == 0 or not len(ids):
            return slots
        self.check(count)
        step = limits.INGEST_IDS_STEP
        stretches = self._firsts_of(count).searchsorted(ids, "right") - 1
        rows = np.empty((step, ID_BYTES), np.uint8)
        for stretch in np.unique(stretches[stretches >= 0]).tolist():
            first = stretch * step
            some = rows[: count - first]
            self.read_into(IDS, first, some)
            written, asked = some.view("<u8")[:, 0], (stretches == stretch).nonzero()[0]
            at = np.minimum(written.searchsorted(ids[asked]), len(written) - 1)
            slots[asked] = np.where(written[at] == ids[asked], first + at, -1)
        return slots

    def _firsts_of(self, count: int) -> NDArray[np.uint64]:
        """The first id of each stretch of the first `count` rows."""
        import numpy as np

        firsts, step = self._firsts, limits.INGEST_IDS_STEP
        more = range(len(firsts) * step, count, step)
        if more:
            firsts = self._firsts = np.concatenate((firsts, self.ids_at(list(more))))
        return firsts[: -(-count // step)]

    def ids_at(self, slots: list[int] | NDArray[np.int64]) -> NDArray[np.uint64]:
        """The ids of some slots."""
        return self._rows(IDS, slots).view("<u8")[:, 0]

    def vectors_at(self, slots: list[int] | NDArray[np.int64]) -> NDArray[np.float32]:
        """The `(n, width)` vectors of some slots."""
        return self._rows(WHOLE, slots).view("<f4")

    def read_into(self, which: int, first: int, rows: NDArray[np.generic]) -> None:
        """Fill `rows`, which is contiguous, with rows of a file from slot `first` on.

        Raises:
            CorruptError: the file ends before.
            BrokenError: the disk refuses.
        """
        at = first * self._units[which]
        rest = _bytes_of(rows)
        while rest:
            try:
                got = os.preadv(self._open_files()[which], [rest], at)
            except OSError as error:
                name = self.folder / names(self.width)[which]
                raise BrokenError(f"{name} cannot be read: {error.strerror}.") from error
            if got == 0:
                name = self.folder / names(self.width)[which]
                raise CorruptError(f"{name} ends in slot {at // self._units[which]:,}; more were written.", hint=HINT)
            rest, at = rest[got:], at + got

    def _rows(self, which: int, slots: list[int] | NDArray[np.int64]) -> NDArray[np.uint8]:
        import numpy as np

        rows = np.empty((len(slots), self._units[which]), np.uint8)
        for row, slot in zip(rows, slots, strict=True):
            self.read_into(which, int(slot), row)
        return rows

    def _put(self, at: int, columns: tuple[NDArray[np.generic], ...]) -> None:
        """Rows into all files, from slot `at` on."""
        for file, unit, rows in zip(self._open_files(), self._units, columns, strict=True):
            rest, offset = _bytes_of(rows), at * unit
            while rest:
                try:
                    done = os.pwrite(file, rest, offset)
                except OSError as error:
                    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
                    hint = "Make room, and run it again: it goes on behind the last commit." if full else ""
                    raise BrokenError(f"{self.folder} cannot be written: {error.strerror}.", hint=hint) from error
                rest, offset = rest[done:], offset + done

    def _open_files(self) -> tuple[int, ...]:
        if not self._files:
            raise ClosedError(f"the vectors in {self.folder} are closed.")
        return self._files


def names(width: int) -> tuple[str, str, str, str]:
    """The files of vectors of that width, in the order of `IDS`, `SCALES`, `BYTES` and `WHOLE`."""
    return "ids.u64", "scales.f32", f"vectors-{width}.i8", f"vectors-{width}.f32"


def quantised(vectors: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """`(n, width)` vectors as i8 rows, and the `(n,)` scales that their products are multiplied with.

    A row is the vector in units of its largest value, by 127. A scale is the vector's length by the row's: taken instead of the
    unit it makes products those of the vector's direction, which is what angular comparison would cost a third more for.

    >>> import numpy as np
    >>> levels, scales = quantised(np.array([[0.6, -0.8], [0.0, 0.0]], np.float32))
    >>> levels.tolist(), [f"{scale:.5f}" for scale in scales]
    ([[95, -127], [0, 0]], ['0.00631', '0.00000'])
    """
    import numpy as np

    largest = np.maximum(vectors.max(axis=1), -vectors.min(axis=1))
    is_zero = largest < LEAST
    levels = vectors / np.where(is_zero, np.float32(np.inf), largest / np.float32(127))[:, None]
    np.rint(levels, out=levels)
    of_levels = np.sqrt(np.einsum("ij,ij->i", levels, levels))
    of_vectors = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    scales = of_vectors / np.where(is_zero, np.float32(np.inf), of_levels)
    return levels.astype(np.int8), scales.astype(np.float32, copy=False)


def live_blocks(count: int, masks: Masks | None) -> Generator[tuple[int, NDArray[np.bool_]], None, None]:
    """The blocks below `count` that have something live: `(first slot, which of its slots are live)`; `masks` as in `scan.nearest`."""
    import numpy as np

    for block, first in enumerate(range(0, count, limits.INGEST_BLOCK_SLOTS)):
        slots = min(limits.INGEST_BLOCK_SLOTS, count - first)
        mask = None if masks is None else masks(block)
        if mask is None:
            yield first, np.ones(slots, np.bool_)
        elif mask:
            live = np.unpackbits(np.frombuffer(mask, np.uint8), count=slots, bitorder="little").view(np.bool_)
            if live.any():
                yield first, live


def _bytes_of(rows: NDArray[np.generic]) -> memoryview:
    """The memory of contiguous rows."""
    import numpy as np

    return rows.reshape(-1).view(np.uint8).data


def _opened(folder: Path, width: int, flags: int) -> tuple[int, ...]:
    assert 1 <= width <= limits.INGEST_WIDTH_MAX
    if others := sorted(set(folder.glob("vectors-*.i8")) - {folder / names(width)[BYTES]}):
        other = others[0].stem.removeprefix("vectors-")
        raise CorruptError(f"{folder} has vectors of {other} dimensions, not {width:,}.", hint=HINT)
    files: list[int] = []
    try:
        files.extend(os.open(folder / name, flags | FLAGS, 0o666) for name in names(width))
    except OSError as error:
        for file in files:
            os.close(file)
        if isinstance(error, FileNotFoundError):
            raise GenerationGone(f"{error.filename} is not there.", hint=HINT) from error
        raise BrokenError(f"{error.filename} cannot be opened: {error.strerror}.") from error
    for file, name in zip(files, names(width), strict=True):
        if not stat.S_ISREG(os.fstat(file).st_mode):
            for each in files:
                os.close(each)
            raise CorruptError(f"{folder / name} is no file.", hint=HINT)
    return tuple(files)


def _sync_folder(folder: Path) -> None:
    """The names of new files, and of the folder, are on disk when this returns."""
    for place in (folder, folder.parent):
        opened = os.open(place, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
