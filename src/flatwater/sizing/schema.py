"""Know the rows of one schema: what their columns hold, and a line from a glance to bytes.

Covers:     learning from weighed rows, the glance at all others, values that rows share.
Not here:   finding a row's schema (`sizing.sizer`), weighing (`sizing.heap`).
Holds:      a few numbers and one function per kind of column: `SCHEMA_BYTES`; shared values: `Constants.bytes_max`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from gc import get_referents
from itertools import chain
from operator import itemgetter
from sys import getsizeof
from typing import Any, cast

from flatwater.sizing.heap import SHARERS_MIN, walk
from flatwater.sizing.objects import ATOMS, children_of, layout_of
from flatwater.units import KIB

SCHEMA_BYTES = 16 * KIB  # one schema: its sums, up to 256 column names, the functions that pick columns
COLUMNS_MAX = 256  # a wider row is looked at without regard to columns
ROW_OBJECTS_MAX = 1 << 16  # weighing one row looks at no more objects than this
CONSTANTS_MAX = 256  # shared values recognised by identity; as many candidates of each of two rows
CONSTANT_BYTES_MAX = 512  # a larger value is not kept for this

_ROWS_EXACT = 32  # a new schema's first rows are all weighed
_GAP_MAX = 128  # later, one row in so many: a tenth of the cost, and 4,000 rows are what the line remembers
_WEIGHED_MAX = 32  # then older weighed rows lose half their weight
_SLOPE_MAX = 4.0  # no object costs more than this for a byte of its size
_CHUNK_SPREAD = 1.5  # a chunk whose glance is this many times the mean may have a fat row
_CHUNK_SPREAD_FLAT = 1.1  # the same where the line is flat, which would hide a fat row
_SLOPE_STEEP = 0.5  # a line below this is flat
_STRANGE_EVERY = 16  # of the rows beyond the calibrated range, one in so many widens it
_LEVELS_MAX = 8  # levels below a row's columns that a glance follows
_NUMBERS = frozenset((int, float, bool))
_NUMBER_MAX = 1 << 52  # so that a sum over all columns stays a small integer
_SUM_MAX = 256 * COLUMNS_MAX * _NUMBER_MAX  # over a chunk of rows


class Schema:
    """What is known of the rows of one schema: what its columns hold, and a line from glance to bytes."""

    def __init__(self, cls: type, width: object, constants: Constants) -> None:
        self._constants = constants
        self._kinds: dict[object, str] = {}  # column: "number", "text" or "other"
        self._is_atom = cls in ATOMS
        self._is_opaque = layout_of(cls).library
        # The row itself gives its columns up by name or index; of anything else, the garbage collector's view does.
        self._is_view = width is not None and (cls in (dict, tuple, list) or _has_columns(cls))
        self._is_loose = cls not in (dict, tuple, list)  # nothing but a look tells that a row has as many columns
        self._names = width if isinstance(width, tuple) and cls is dict else None
        self._is_ragged = width is None or not (self._is_view or layout_of(cls).fixed)
        self._program: set[type] = {type}  # classes whose objects are the program's, not the data's
        self._levels = 0  # levels below the columns that weighed rows had
        self._view_len = -1
        self._strange = 0
        self._glance_limit = 0.0
        self._pick_all()

    def charge(self, row: object) -> int:
        """Bytes of `row`: by the line, or weighed when that is due or it is unlike the others."""
        self._due -= 1
        if self._due < 0:
            return self._weigh(row)
        try:
            glance = self._glance(row)
        except Exception:  # noqa: BLE001 - a type no weighed row had in this column; or a __sizeof__ that fails
            return self._weigh(row)
        if glance > self._glance_limit:
            self._strange += 1
            if self._strange % _STRANGE_EVERY:
                return round(walk(row, ROW_OBJECTS_MAX, self._constants))
            return self._weigh(row)
        return int(max(self._base + self._slope * glance, self._charge_min))

    def charge_chunk(self, rows: Sequence[object]) -> int | None:
        """Bytes of many rows of this schema's type, glanced at together; None when they must be charged one by one.

        The line is straight, so the sum over the rows needs only the sum of the glances. A chunk in which a fat row
        may be, or a row of another schema, is left to the caller.
        """
        if self._weighed < _ROWS_EXACT or not (self._is_view or self._is_atom):
            return None
        try:
            glance = self._glance_chunk(rows)
        except Exception:  # noqa: BLE001 - a type no weighed row had in this column; or a __sizeof__ that fails
            return None
        count = len(rows)
        spread = _CHUNK_SPREAD if self._slope >= _SLOPE_STEEP else _CHUNK_SPREAD_FLAT
        if glance > count * spread * (self._x / self._weight):
            return None
        charge = max(count * self._base + self._slope * glance, count * self._charge_min)
        self._due -= count
        if self._due < 0:
            self._weigh(rows[count // 2])
        return int(charge)

    def _glance_chunk(self, rows: Sequence[object]) -> int:
        """As `_glance`, of all `rows` together."""
        if self._is_atom:
            return sum(map(getsizeof, rows))
        if set(map(len, cast("Sequence[Sequence[object]]", rows))) != {self._view_len}:
            raise _UnlikeError
        glance = 0
        if self._numbers is not None:
            number: object = sum(cast("Iterable[int]", chain.from_iterable(map(self._numbers, rows))))
            if type(number) is not float and not (type(number) is int and -_SUM_MAX < number < _SUM_MAX):
                raise _UnlikeError
        if self._texts is not None:
            glance += sum(map(str.__sizeof__, cast("Iterable[str]", chain.from_iterable(map(self._texts, rows)))))
        if self._others is not None:
            glance += self._descend(list(chain.from_iterable(map(self._others, rows))))
        return glance

    def _glance(self, row: object) -> int:
        """The sum of the sizes of all values, as C functions give them; raises when `row` is unlike those weighed.

        Each kind of column is read by a function that fails on any other type, so that checking the type is free:
        numbers are summed (they cost the same whatever they are), text tells its size, the rest is asked.
        """
        if self._is_atom:
            return getsizeof(row)
        view: Any = row
        glance = 0
        if not self._is_view:
            view = children_of(row)[0]
            if self._is_ragged:
                return getsizeof(row) + self._descend(view)
        if self._is_loose and len(view) != self._view_len:
            raise _UnlikeError
        if self._numbers is not None:
            number: object = sum(cast("Iterable[int]", self._numbers(view)))
            if type(number) is not float and not (type(number) is int and -_SUM_MAX < number < _SUM_MAX):
                raise _UnlikeError
        if self._texts is not None:
            glance += sum(map(str.__sizeof__, self._texts(view)))
        if self._others is not None:
            glance += self._descend(self._others(view))
        return glance

    def _descend(self, level: Sequence[object]) -> int:
        """The sizes of `level` and of the levels below it, as deep as weighed rows go."""
        program = self._program
        if not program.isdisjoint(map(type, level)):  # a function refers to all of its module
            level = [item for item in level if type(item) not in program]
        glance = sum(map(getsizeof, level))
        below = get_referents(*level)
        levels = 0
        while below:
            if levels >= self._levels:
                if self._levels >= _LEVELS_MAX:
                    break
                raise _UnlikeError
            names = [name for item in level if type(item) is dict for name in item]
            level = [item for item in below if type(item) not in program]
            level += names
            if len(level) > ROW_OBJECTS_MAX:
                raise _UnlikeError
            glance += sum(map(getsizeof, level))
            below = get_referents(*level)
            levels += 1
        return glance

    def _weigh(self, row: object) -> int:
        """Bytes of `row` exactly, and learn from it."""
        self._constants.next_row(row)
        charge = walk(row, ROW_OBJECTS_MAX, self._constants)
        if self._is_opaque:
            self._due = 0
            return round(charge)
        try:
            if self._study(row):
                self._pick_all()
            glance = self._glance(row)
        except Exception:  # noqa: BLE001 - an object that cannot be asked for its size is weighed each time
            return round(charge)
        self._learn(glance, charge)
        return round(charge)

    def _study(self, row: object) -> bool:
        """Note what the columns hold and how deep they go; True when the picks must be made anew."""
        if self._is_atom:
            return False
        view: Any = row if self._is_view else children_of(row)[0]
        changed = False
        if not self._is_ragged:
            changed = self._view_len not in (-1, len(view))
            self._view_len = len(view)
            columns = self._names if self._names is not None else range(len(view))
            for column in columns:
                kind = _kind(view[column])
                known = self._kinds.get(column)
                if known not in (kind, "other"):
                    self._kinds[column] = kind if known is None else "other"
                    changed = True
            view = [view[column] for column in columns if self._kinds[column] == "other"]
        return self._study_levels(view) or changed

    def _study_levels(self, level: Sequence[object]) -> bool:
        """Note how many levels of data there are below `level`; True when there are more than known."""
        levels = 0
        level = self._without_program(level)
        while levels < _LEVELS_MAX:
            below = get_referents(*level)
            if not below:
                break
            names = [name for item in level if type(item) is dict for name in item]
            level = self._without_program(below) + names
            levels += 1
            if len(level) > ROW_OBJECTS_MAX:
                break
        deeper = levels > self._levels
        self._levels = max(levels, self._levels)
        return deeper

    def _without_program(self, level: Sequence[object]) -> list[object]:
        """What of it is data; note the classes of the rest."""
        self._program.update(cls for cls in set(map(type, level)) if layout_of(cls).program)
        return [item for item in level if type(item) not in self._program]

    def _pick_all(self) -> None:
        """Make the functions that pick columns, and start the line anew, because a glance now means something else."""
        by_kind: dict[str, list[object]] = {"number": [], "text": [], "other": []}
        for column, kind in self._kinds.items():
            by_kind[kind].append(column)
        self._numbers = _picker(by_kind["number"])
        self._texts = _picker(by_kind["text"])
        self._others = _picker(by_kind["other"])
        self._weight = self._x = self._y = self._xx = self._xy = 0.0
        self._weighed = 0
        self._gap = _ROWS_EXACT // 2
        self._due = 0
        self._base, self._slope, self._charge_min = 0.0, 1.0, 0.0
        self._glance_limit = 0.0

    def _learn(self, glance: int, charge: float) -> None:
        """Move the line (least squares, older rows fade) and say when the next row is due."""
        fade = 0.5 if self._weight >= _WEIGHED_MAX else 1.0
        # In local names, so that a racing thread cannot make a divisor 0.
        weight = self._weight * fade + 1
        x, y = self._x * fade + glance, self._y * fade + charge
        xx, xy = self._xx * fade + glance * glance, self._xy * fade + glance * charge
        self._weight, self._x, self._y, self._xx, self._xy = weight, x, y, xx, xy
        mean_x, mean_y = x / weight, y / weight
        spread = xx / weight - mean_x * mean_x
        slope = 1.0
        if spread > 1e-6 * mean_x * mean_x + 1:  # else the glances are all alike, and a line is not defined
            slope = min(max((xy / weight - mean_x * mean_y) / spread, 0.0), _SLOPE_MAX)
        self._slope = slope
        self._base = mean_y - slope * mean_x
        self._glance_limit = max(self._glance_limit, 1.5 * glance + 64)
        self._charge_min = charge / 2 if self._weighed == 0 else min(self._charge_min, charge / 2)
        self._weighed += 1
        if self._weighed < _ROWS_EXACT:
            self._due = 0
        else:
            self._gap = min(self._gap * 2, _GAP_MAX)
            self._due = self._gap


class Constants:
    """Values that several rows share, recognised by identity; each is kept alive, so an identity is never reused."""

    def __init__(self) -> None:
        self._shared: dict[int, object] = {}
        self._before: dict[int, object] = {}  # the values of the row weighed before
        self._now: dict[int, object] = {}
        self._row_id = 0

    @staticmethod
    def bytes_max() -> int:
        """The most this can hold at once, in bytes."""
        entry_bytes = CONSTANT_BYTES_MAX + 128  # the value, its id, its place in a table
        total = 0
        total += CONSTANTS_MAX * entry_bytes  # the shared values
        total += 2 * CONSTANTS_MAX * entry_bytes  # the values of the last two weighed rows
        return total

    def next_row(self, row: object) -> None:
        """Begin a row; the same row again proves nothing."""
        if id(row) != self._row_id:
            self._before, self._now = self._now, {}
        self._row_id = id(row)

    def share(self, value: object, owners: int) -> float:
        """The part of `value` that one row pays, given how many references there are to it."""
        if owners >= SHARERS_MIN:
            return 1 / owners
        key = id(value)
        if key in self._shared:
            return 0.0
        if type(value) not in ATOMS:
            return 1.0
        if key in self._before:
            if len(self._shared) < CONSTANTS_MAX:
                self._shared[key] = value
            return 0.0
        if len(self._now) < CONSTANTS_MAX and getsizeof(value) <= CONSTANT_BYTES_MAX:
            self._now[key] = value
        return 1.0


class _UnlikeError(Exception):
    """A row that is unlike those weighed; never leaves this module."""


def _has_columns(cls: type) -> bool:
    """Whether rows of `cls` are asked by index: named tuples and sqlite3.Row, which is not imported for this."""
    is_named = issubclass(cls, tuple) and hasattr(cls, "_fields")
    return is_named or (cls.__module__, cls.__name__) == ("sqlite3", "Row")


def _kind(value: object) -> str:
    """Which C function a glance reads such a value by."""
    if type(value) is str:
        return "text"
    if type(value) in _NUMBERS and -_NUMBER_MAX < value < _NUMBER_MAX:  # type: ignore[operator]
        return "number"
    return "other"


def _picker(columns: list[Any]) -> Callable[[Any], Sequence[object]] | None:
    """A function that picks these columns of a row; None when there are none."""
    if not columns:
        return None
    if len(columns) == 1:
        column = columns[0]
        return lambda view: (view[column],)
    return itemgetter(*columns)
