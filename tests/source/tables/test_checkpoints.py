"""The table of states: made when it is needed, read, replaced, deleted, in whatever database."""

from __future__ import annotations

import threading

import pytest

from flatwater import errors
from flatwater.source.tables.checkpoints import CHECKPOINTS, Checkpoints, check_job, check_note


def places(database):
    database.run(f"CREATE TABLE t (a {database.key_type})")
    return database.table("t")


def test_the_table_is_made_with_the_first_state(database):
    """Looking for a state makes nothing; the first commit of one makes the table, with it or not at all."""
    table = places(database)
    with table.writer() as writer:
        assert writer.state_of("job") is None
        writer.forget("job")
        writer.write([(1,)])
        writer.commit()
        assert not Checkpoints(table._adapter).is_there()
        writer.write([(2,)])
        writer.commit(("job", b"2"))
    assert Checkpoints(table._adapter).is_there()
    assert database.all(f"SELECT job FROM {CHECKPOINTS}") == [("job",)]


def test_writers_side_by_side(database):
    """Several writers whose jobs begin at once all get their states in."""
    if not database.is_server:
        pytest.skip("in SQLite a writer waits for the other")
    table = places(database)
    failed, start = [], threading.Barrier(4)

    def work(number):
        try:
            with database.table("t").writer() as writer:
                writer.write([(number,)])
                start.wait(10)
                writer.commit((f"job {number}", b"%d" % number))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert len(list(table.find_each())) == len(database.all(f"SELECT job FROM {CHECKPOINTS}")) == 4


def test_names_and_states():
    """Names of jobs are short text, states are bytes below a limit."""
    for job in ("", "x" * 201, None, 5, b"job", "a\0b"):
        with pytest.raises(errors.UsageError, match="is no name"):
            check_job(job)
    for note in (None, "job", ("job",), ("job", "text"), ["job", b""]):
        with pytest.raises(errors.UsageError, match="no pair"):
            check_note(note)
    with pytest.raises(errors.UsageError, match="less than 1,048,576 B"):
        check_note(("job", bytes(1 << 20)))
    check_note(("job", b""))
