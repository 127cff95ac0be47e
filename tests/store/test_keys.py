"""Keys sort as their tuples do, come back as they went in, and no bytes of another origin pass for one."""

# ruff: noqa: DTZ001, DTZ901 - moments without a zone are among the cases

from __future__ import annotations

import enum
import uuid
from collections import namedtuple
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from flatwater import errors
from flatwater.store import keys

HEAD = b"\x02\x03\x7f"
TYPES = [type(None), bool, int, float, str, bytes, "naive", "aware", uuid.UUID]  # in their order
NASTY = "\x00\x01\x02\x7f\x80\xffab\ud7ff\ud800\udfff\ue000\uffff\U0010ffff"
EDGES = [
    at
    for middle in (0, 2**8, 2**32, 2**53, 2**63, 2**64, 2**72, 2**128, 2**2040 - 3)
    for at in range(middle - 2, middle + 3)
]
OFFSETS = st.integers(-24 * 3600 + 1, 24 * 3600 - 1).map(lambda seconds: timezone(timedelta(seconds=seconds)))

texts = st.text(st.sampled_from(NASTY), max_size=4) | st.text(st.characters(exclude_categories=()), max_size=4)
blobs = st.lists(st.sampled_from([0, 1, 2, 127, 254, 255]), max_size=4).map(bytes) | st.binary(max_size=4)
numbers = st.sampled_from([sign * at for at in EDGES for sign in (1, -1)]) | st.integers(-300, 300) | st.integers()
moments = st.datetimes() | st.sampled_from([datetime.min, datetime.max, datetime(1970, 1, 1)])
aware = st.builds(lambda moment, zone: moment.replace(tzinfo=zone), moments, OFFSETS | st.just(UTC))
elements = st.one_of(
    st.none(), st.booleans(), numbers, st.floats(allow_nan=False), texts, blobs, moments, aware, st.uuids()
)
few = st.sampled_from([None, False, True, -1, 0, 1, 2**64, -1.5, 0.0, "", "a", "a\x00", "a\x01", "b", b"", b"\x00"])
tuples = st.lists(elements, min_size=1, max_size=4).map(tuple) | st.lists(few, min_size=1, max_size=4).map(tuple)


def placed(key):
    """What a key is sorted by: for each element its type's place, and itself."""
    return [(TYPES.index(kind_of(element)), element if element is not None else 0) for element in key]


def kind_of(element):
    if isinstance(element, datetime):
        return "naive" if element.tzinfo is None else "aware"
    return type(element)


def is_storable(key):
    """Whether all its moments have a year from 1 to 9999 in UTC."""
    for element in key:
        if isinstance(element, datetime) and element.tzinfo is not None:
            try:
                element.astimezone(UTC)
            except OverflowError:
                return False
    return True


storable = tuples.filter(is_storable)


# --- one key ----------------------------------------------------------------------------------------------------------


@given(storable, storable)
@settings(max_examples=160)
def test_keys_sort_as_their_elements_do(one, other):
    """Bytes compare as the tuples: types in their order, then values, a key in front of those that continue it."""
    left, right = keys.encode(HEAD, one), keys.encode(HEAD, other)
    assert (left < right, left == right) == (placed(one) < placed(other), placed(one) == placed(other))


@given(storable)
@settings(max_examples=100)
@example((-0.0,))
@example((float("inf"), float("-inf"), 5e-324, -5e-324))
def test_a_key_comes_back_as_it_went_in(key):
    """Decoding gives equal elements of the same types; moments with an offset come back in UTC."""
    got = keys.decode(keys.encode(HEAD, key), len(HEAD))
    assert got == key
    assert [kind_of(element) for element in got] == [kind_of(element) for element in key]
    assert all(element.tzinfo is UTC for element in got if kind_of(element) == "aware")


@given(storable, storable)
@settings(max_examples=100)
def test_a_prefix_has_the_keys_that_begin_with_it(prefix, key):
    """A key is in the range of a prefix exactly if its first elements are the prefix."""
    low, high = keys.prefix_range(HEAD, prefix)
    begins = placed(key)[: len(prefix)] == placed(prefix)
    assert (low <= keys.encode(HEAD, key) < high) == begins
    longer = (*prefix, *key)
    assert low < keys.encode(HEAD, longer) < high


def test_no_prefix_has_all_keys_of_a_head():
    """The empty prefix is the whole partition, and nothing of its neighbours."""
    low, high = keys.prefix_range(HEAD, ())
    last = keys.encode(HEAD, (uuid.UUID(int=2**128 - 1),) * 9)
    assert low < keys.encode(HEAD, (None,)) < last < high
    assert high < keys.encode(b"\x02\x04\x02", (None,))


@given(storable, storable)
@settings(max_examples=100)
def test_none_makes_the_next_key(key, other):
    """Nothing fits between a key and the same with None behind it: that is what resume_key goes by."""
    here, behind, there = (keys.encode(HEAD, each) for each in (key, (*key, None), other))
    assert here < behind
    assert (there > here) == (there >= behind)


@given(st.binary(max_size=40))
@settings(max_examples=160)
def test_foreign_bytes_are_no_key(found):
    """Any bytes are either refused as damaged, or exactly what encoding gives."""
    try:
        key = keys.decode(found, 0)
    except errors.CorruptError:
        return
    assert keys.encode(b"", key) == found


@given(storable, st.data())
@settings(max_examples=160)
def test_a_damaged_key_is_none_or_another(key, data):
    """A key with a byte changed, lost or added is refused as damaged, or is the encoding of what comes out."""
    whole = keys.encode(b"", key)
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.sampled_from([b"", b"\x00", b"\x01", b"\x02", b"\x7f", b"\x80", b"\xff"]))
    found = whole[:at] + byte + whole[at + data.draw(st.integers(0, 1)) :]
    try:
        got = keys.decode(found, 0)
    except errors.CorruptError:
        return
    assert keys.encode(b"", got) == found


@pytest.mark.parametrize(
    "found",
    [
        b"", b"\x00", b"\x01", b"\x0f", b"\xff", bytes((keys.POSITIVE,)), bytes((keys.HUGE, 9)) + b"\x01",
        bytes((keys.HUGE, 1, 5)), bytes((keys.HUGE, 0)), bytes((keys.HUGE_NEGATIVE, 255)),
        bytes((keys.NEGATIVE,)) + bytes(8), bytes((keys.FLOAT,)) + b"\xff" * 8, bytes((keys.FLOAT,)) + bytes(8),
        bytes((keys.FLOAT,)) + b"\x7f" + b"\xff" * 7, bytes((keys.TEXT,)) + b"a\x00", bytes((keys.TEXT,)) + b"\x01",
        bytes((keys.TEXT,)) + b"\x01\x03", bytes((keys.TEXT,)) + b"\xff", bytes((keys.NAIVE,)) + bytes(8),
        bytes((keys.AWARE,)) + b"\xff" * 8, bytes((keys.UUID_,)) + bytes(15),
    ],
)  # fmt: skip
def test_what_encoding_never_makes_is_damage(found):
    """Cut off, NaN, -0.0, huge numbers that are small, wrong escapes, moments outside of time: all are refused."""
    with pytest.raises(errors.CorruptError, match="no key of this store"):
        keys.decode(found, 0)


# --- what a key can hold ----------------------------------------------------------------------------------------------


class Text(str):
    __slots__ = ()


class Colour(enum.StrEnum):
    RED = "red"


class Size(enum.IntEnum):
    SMALL = 1


class Moment(datetime):
    pass


@pytest.mark.parametrize(
    "key",
    [
        "a", ["a"], b"a", 1, None, {"a"}, {"a": 1}, (["a"],), (("a",),), ({},), (object(),), (1j,), (Text("a"),),
        (Colour.RED,), (Size.SMALL,), (Moment(2000, 1, 1),), (bytearray(b"a"),), (memoryview(b"a"),), (timedelta(1),),
        (datetime(2000, 1, 1).date(),), (int,), (range(2),), ("a", ["b"]), (1, object()),
    ],
    ids=lambda key: type(key).__name__ if not isinstance(key, tuple) else f"tuple-{type(key[-1]).__name__}",
)  # fmt: skip
def test_what_no_key_can_hold_is_refused(key):
    """Anything but a tuple of the nine types is refused with what it is and what would do, one by one and in numbers."""
    with pytest.raises(errors.UsageError, match=r"is no key|no key can hold") as refused:
        keys.encode(HEAD, key)
    assert "such as ('a',)" in refused.value.hint or "UUID and datetime" in refused.value.hint
    for many in ([key], [("a",), key], [key, ("a",)], [("a", "b"), key]):
        with pytest.raises(errors.UsageError, match=r"is no key|no key can hold"):
            keys.encode_many(HEAD, many)


def test_numbers_of_numpy_are_refused():
    """What looks like an int and is none says so: it would come back as another type."""
    numpy = pytest.importorskip("numpy")
    for number in (numpy.int64(1), numpy.float64(1.5), numpy.bool_(1), numpy.str_("a")):
        with pytest.raises(errors.UsageError, match="which no key can hold"):
            keys.encode(HEAD, (number,))


def test_the_empty_tuple_is_no_key():
    """A key has one element at least, in numbers, too, where others have more."""
    for many in ([()], [("a",), ()], [(), ("a", "b")]):
        with pytest.raises(errors.UsageError, match=r"\(\) is no key"):
            keys.encode_many(HEAD, many)
    with pytest.raises(errors.UsageError, match=r"\(\) is no key"):
        keys.encode(HEAD, ())


def test_not_a_number_has_no_place():
    """NaN is refused, wherever it stands."""
    for key in ((float("nan"),), ("a", float("-nan"))):
        with pytest.raises(errors.UsageError, match="NaN has no place"):
            keys.encode(HEAD, key)


def test_a_named_tuple_is_a_key():
    """A subclass of tuple is taken as a tuple, and comes back as one."""
    point = namedtuple("point", "x y")(1, 2)  # noqa: PYI024 - the one without types is the case
    assert keys.encode(HEAD, point) == keys.encode(HEAD, (1, 2))
    single = namedtuple("single", "name")("a")  # noqa: PYI024
    assert keys.encode_many(HEAD, [single, ("b",)]) == [keys.encode(HEAD, ("a",)), keys.encode(HEAD, ("b",))]


def test_an_int_of_more_than_255_bytes_is_refused():
    """The largest ints are kept exactly; one more bit is refused with a word, even if Python would not show it."""
    for number in (2**2040 - 1, -(2**2040) + 1):
        assert keys.decode(keys.encode(b"", (number,)), 0) == (number,)
    for number in (2**2040, -(2**2040), 10**6000):
        with pytest.raises(errors.UsageError, match="too large for a key"):
            keys.encode(b"", (number,))
    with pytest.raises(errors.UsageError, match="which no key can hold"):
        keys.encode(b"", (object(), 10**6000))


def test_moments_beyond_the_years_of_utc_are_refused():
    """A moment that UTC has no year for could not come back."""
    for moment in (
        datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
    ):
        with pytest.raises(errors.UsageError, match="no year from 1 to 9999"):
            keys.encode(b"", (moment,))
    for moment in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        assert keys.decode(keys.encode(b"", (moment,)), 0) == (moment,)


def test_the_hour_that_comes_twice_is_two_moments():
    """With a zone, fold tells which one; without one, there is nothing to tell."""
    try:
        zone = ZoneInfo("Europe/Berlin")
    except KeyError:
        pytest.skip("no database of time zones here")
    summer = datetime(2024, 10, 27, 2, 30, tzinfo=zone)
    winter = summer.replace(fold=1)
    assert keys.encode(b"", (summer,)) < keys.encode(b"", (winter,))
    assert keys.decode(keys.encode(b"", (winter,)), 0) == (datetime(2024, 10, 27, 1, 30, tzinfo=UTC),)
    naive = datetime(2024, 10, 27, 2, 30)
    assert keys.encode(b"", (naive,)) == keys.encode(b"", (naive.replace(fold=1),))


# --- pages ------------------------------------------------------------------------------------------------------------

alike = st.one_of(
    st.lists(texts.map(lambda text: (text,)), max_size=8),
    st.lists(st.integers(0, 2**64 - 1).map(lambda number: ("a", 7, number)), max_size=8),
    st.lists(st.integers(-3, 2**64 + 3).map(lambda number: (number,)), max_size=8),
    st.lists(texts.map(lambda text: ("a\x00", b"\x01", text)), max_size=8),
    st.lists(st.tuples(st.just("a"), texts), max_size=8),
    st.lists(st.tuples(st.sampled_from(["a", "b"]), st.sampled_from([1, 2, "a", "a\x00"])), max_size=8),
    st.lists(storable, max_size=8),
)


@given(alike, st.lists(storable, max_size=2))
@settings(max_examples=100)
@example([("a",), ("b", "c")], [])
@example([("a", "b"), ("c",)], [])
@example([("\ud800",), ("a",)], [])
def test_many_keys_are_encoded_as_one_by_one(many, others):
    """A page of keys, alike or not, gives the bytes that each gives alone."""
    wanted = [*many, *others]
    assert keys.encode_many(HEAD, wanted) == [keys.encode(HEAD, key) for key in wanted]
    assert keys.encode_many(HEAD, tuple(wanted)) == [keys.encode(HEAD, key) for key in wanted]


@given(alike, st.lists(storable, max_size=2), st.booleans(), st.booleans())
@settings(max_examples=160)
@example([("a",), ("a", "b"), ("b",)], [], False, False)
@example([("a",), ("a\x00",)], [], False, False)
@example([(0,), (1,), (1, None)], [], False, False)
@example([(1, 2), (1, 3, 4)], [], False, True)
def test_a_page_is_decoded_as_key_by_key(many, others, is_reverse, is_typed):
    """A sorted page, in either direction, gives what each key gives alone, with its own value."""
    raw = sorted({keys.encode(HEAD, key) for key in [*many, *others]}, reverse=is_reverse)
    page = [(key, b"%d" % at) for at, key in enumerate(raw)]
    value_of = int if is_typed else None
    wanted = [(keys.decode(key, len(HEAD)), at if is_typed else b"%d" % at) for at, key in enumerate(raw)]
    got = keys.decode_pairs(page, len(HEAD), value_of)
    assert got == wanted
    assert [[kind_of(each) for each in key] for key, _value in got] == [
        [kind_of(each) for each in key] for key, _value in wanted
    ]


@given(st.lists(st.binary(max_size=12), min_size=1, max_size=5), alike)
@settings(max_examples=100)
def test_a_page_with_a_foreign_key_is_damage(foreign, many):
    """Foreign bytes among keys end in CorruptError, or are keys themselves; nothing else is raised."""
    raw = sorted({*(keys.encode(HEAD, key) for key in many), *(HEAD + each for each in foreign)})
    try:
        pairs = keys.decode_pairs([(key, b"") for key in raw], len(HEAD), None)
    except errors.CorruptError:
        return
    assert [keys.encode(HEAD, key) for key, _value in pairs] == raw


@given(texts)
@settings(max_examples=20)
def test_an_error_of_the_values_is_not_swallowed(text):
    """What the function of the values raises comes through, even if it looks like a text that cannot be decoded."""
    assume(text)

    def refuse(_stored):
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "a value's own")

    with pytest.raises(UnicodeDecodeError, match="a value's own"):
        keys.decode_pairs([(keys.encode(HEAD, (text,)), b"")], len(HEAD), refuse)


def test_what_is_shown_of_a_value_is_short():
    """An error shows the beginning of a value, or its type where Python shows nothing."""
    assert keys.shown("a" * 500) == "'" + "a" * 119
    assert keys.shown(10**6000) == "<int>"
