"""Commits of statements, together and alone."""

import threading

import pytest

from flatwater import errors
from flatwater.live.log import Log
from flatwater.live.rows import NUMBER_BYTES, Heads, number_of
from flatwater.live.sequence import Sequence
from flatwater.live.writing import Edit, Writer, look
from flatwater.store.store import Store


@pytest.fixture
def made(tmp_path):
    """A writer over a store, and what it tells."""
    with Store(tmp_path / "s", sync="off") as store:
        heads = Heads(
            store.partition("rows").head(), store.partition("stream").head(), store.partition("catalog").head()
        )
        log = Log(store.partition("log").head())
        told = []
        writer = Writer(
            store.space,
            heads,
            log,
            Sequence(),
            told.extend,
            log_bytes=20_000,
            behind=lambda: None,
            mark=lambda _number: None,
        )
        yield store, heads, log, writer, told


def edit(heads, key, new):
    return Edit(1, heads.rows, heads.rows + key, new)


def test_rows_and_log_agree(made):
    """Each change has a number, which its row has, too; what does not change a row is none."""
    store, heads, log, writer, told = made
    changes = writer.submit(lambda _get: [edit(heads, b"a", b"1"), edit(heads, b"b", b"2"), edit(heads, b"a", b"3")])
    assert [(each.old, each.new) for each in changes] == [(None, b"1"), (None, b"2"), (b"1", b"3")]
    assert writer.submit(lambda _get: [edit(heads, b"a", b"3"), edit(heads, b"zz", None)]) == []
    assert told == changes
    stored = store.space.engine.get(heads.rows + b"a")
    assert (stored[NUMBER_BYTES:], number_of(stored)) == (b"3", changes[2].sequence)
    assert look(store.space, lambda _get, page: log.behind(page, 0, writer.last)) == changes


def test_a_statement_that_fails_changes_nothing(made):
    """It gets its error, and those that are committed with it do not."""
    _store, heads, _log, writer, told = made

    def fails(_get):
        raise errors.UsageError("no")

    with pytest.raises(errors.UsageError):
        writer.submit(fails)
    assert told == []
    assert len(writer.submit(lambda _get: [edit(heads, b"a", b"1")])) == 1


def test_threads_are_committed_together(made):
    """While one commits, others wait, and are committed by the next one: in fewer transactions, each with its own answer."""
    store, heads, _log, writer, told = made
    commits = []
    alter = store.space.engine.alter
    begun, go_on = threading.Event(), threading.Event()

    def counted(function):
        commits.append(1)
        if len(commits) == 1:
            begun.set()
            go_on.wait(10)
        alter(function)

    store.space.engine.alter = counted
    answers = {}

    def work(number):
        key = b"%d" % number
        answers[number] = writer.submit(lambda _get: [edit(heads, key, b"x")])

    first = threading.Thread(target=work, args=(0,))
    first.start()
    begun.wait(10)
    others = [threading.Thread(target=work, args=(number,)) for number in range(1, 20)]
    for thread in others:
        thread.start()
    while len(writer._waiting) < 19:
        pass
    go_on.set()
    for thread in [first, *others]:
        thread.join()
    assert len(commits) == 2
    assert all(answers[number][0].key.endswith(b"%d" % number) for number in range(20))
    assert [change.sequence for change in told] == sorted(change.sequence for change in told)


def test_the_log_is_trimmed(made):
    """It stays about as long as it may be, and goes on where it was in another object."""
    store, heads, log, writer, _told = made
    for n in range(500):
        writer.submit(lambda _get, n=n: [edit(heads, b"k%d" % n, b"x" * 200)])
    assert 15_000 <= writer.log_bytes <= 22_000
    again = Writer(
        store.space,
        heads,
        log,
        Sequence(),
        lambda _changes: None,
        log_bytes=20_000,
        behind=lambda: None,
        mark=lambda _number: None,
    )
    assert (again.last, again.log_bytes, again.trimmed) == (writer.last, writer.log_bytes, writer.trimmed)


def test_a_statement_larger_than_a_group_takes_its_bytes(tmp_path):
    """It is refused where they do not fit, and nothing is changed."""
    import flatwater as fw

    with fw.Budget("40 MiB"), Store(tmp_path / "s", sync="off") as store:
        heads = Heads(
            store.partition("rows").head(), store.partition("stream").head(), store.partition("catalog").head()
        )
        writer = Writer(
            store.space,
            heads,
            Log(store.partition("log").head()),
            Sequence(),
            lambda _changes: None,
            log_bytes=1 << 20,
            behind=lambda: None,
            mark=lambda _number: None,
        )
        with pytest.raises(errors.BudgetExceeded):
            writer.submit(lambda _get: [edit(heads, b"a", b"x" * 10_000_000)], size=10_000_000)
        assert store.space.engine.get(heads.rows + b"a") is None
