"""tour.lab.inputs: files and tables of the size asked for, made once, and gone afterwards."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile

import pytest

from flatwater import errors
from flatwater.tour.lab import inputs as subject
from flatwater.tour.lab.experiment import Input
from flatwater.tour.lab.inputs import Inputs


@pytest.mark.parametrize("size", [0, 1, 1_000_000, 1 << 20, (1 << 20) + 1])
def test_a_file_has_its_size(size):
    """Any size, to the byte."""
    with Inputs() as inputs:
        assert os.path.getsize(inputs.file(size)) == size


def test_a_table_has_its_rows():
    """As many rows as asked for, keys from 1 without gaps, across the steps in which it is made."""
    rows = subject.ROWS_A_STEP + 7
    with Inputs() as inputs, contextlib.closing(sqlite3.connect(inputs.table(rows))) as connection:
        found = connection.execute("SELECT count(*), min(id), max(id), count(DISTINCT email) FROM users").fetchone()
    assert found == (rows, 1, rows, rows)


def test_what_was_made_is_shared():
    """The second experiment that asks gets the same file; arguments are filled in their order."""
    with Inputs() as inputs:
        first = inputs.fill((Input.FILE, 1024, Input.SIZE, "text"), 10)
        assert first == (inputs.file(10), 1024, 10, "text")
        assert inputs.fill((Input.TABLE,), 10) == (inputs.table(10),)


def test_all_of_it_goes_with_the_block(monkeypatch, tmp_path):
    """An error or Ctrl-C in the block leaves nothing in the temporary folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def interrupted():
        with Inputs() as inputs:
            inputs.file(1000)
            assert list(tmp_path.iterdir())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_lab_left_is_removed(monkeypatch, tmp_path):
    """SIGKILL leaves the file and the table; a later lab removes them before it makes its own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "flatwater-lab-left"
    left.mkdir()
    for name in ("file-100000000.bin", "table-1000000.db"):
        (left / name).write_text("x")
    os.utime(left, (1, 1))
    with Inputs() as inputs:
        assert os.path.dirname(os.path.dirname(inputs.file(10))) == str(tmp_path)
        assert not left.exists()
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_it_says_so(monkeypatch, tmp_path):
    """The folder for temporary files cannot be written: an error with a way out."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(errors.BrokenError, match=r"a place for their input.*TMPDIR"):
        Inputs()


def test_a_full_disk_is_said_and_cleaned(monkeypatch, tmp_path):
    """What cannot be written is a BrokenError with a way out, and half a file does not stay."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def fill_the_disk(path, _size):
        with open(path, "wb") as file:
            file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(subject, "_write_file", fill_the_disk)
    with Inputs() as inputs:
        with pytest.raises(errors.BrokenError, match=r"no space left on device.*TMPDIR"):
            inputs.file(10)
        assert [list(folder.iterdir()) for folder in tmp_path.iterdir()] == [[]]


def test_a_store_has_its_entries():
    """As many as asked for, in a store that can be opened, with keys of about 100 bytes and values of 60."""
    from flatwater.store.store import Store

    with Inputs() as inputs, Store(inputs.store(1_234)) as store:
        assert store.count_estimate() == 1_234
        ((key, value),) = next(store.batches(rows=1))
    assert 90 <= len(key[0]) <= 110
    assert value == bytes(60)


def test_a_folder_is_another_one_each_time():
    """Empty, and not shared: a program that fills one leaves nothing to the next."""
    with Inputs() as inputs:
        first, second = inputs.fill((Input.FOLDER, Input.FOLDER), 10)
        assert first != second
        assert os.listdir(first) == os.listdir(second) == []
