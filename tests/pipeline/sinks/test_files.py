"""Files of lines: what is in them, that nobody sees half of one, that nothing is lost to another run."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import stat
import threading
from datetime import date
from typing import NamedTuple

import msgspec
import pytest

from flatwater import errors
from flatwater.pipeline.flow import Flow
from flatwater.pipeline.sinks.files import Part


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class Visit:
    day: date
    pages: int


class Row(msgspec.Struct):
    name: str
    tags: list[str]


def test_json_lines(tmp_path):
    """Dicts, structs, dataclasses, numbers, texts and dates are lines of JSON, as many as there are items."""
    items = [{"a": 1}, Row("x", ["y"]), Visit(date(2026, 1, 2), 3), 1.5, "text\nof two lines", None, [1, 2]]
    report = Flow(items).to(tmp_path / "out.jsonl").run()
    assert report.items == len(items)
    assert [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()] == [
        {"a": 1}, {"name": "x", "tags": ["y"]}, {"day": "2026-01-02", "pages": 3}, 1.5, "text\nof two lines", None, [1, 2],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("items", "columns", "wanted"),
    [
        ([{"a": 1, "b": None}, {"b": "x, y"}], None, [["a", "b"], ["1", ""], ["", "x, y"]]),
        ([{"a": 1}, {"b": 2}], ["a", "b"], [["a", "b"], ["1", ""], ["", "2"]]),
        ([Point(1, 2), Point(3, 4)], None, [["x", "y"], ["1", "2"], ["3", "4"]]),
        ([(1, "two\nlines"), [3, 'a "word"']], None, [["1", "two\nlines"], ["3", 'a "word"']]),
        ([(1, 2)], ["x", "y"], [["x", "y"], ["1", "2"]]),
        ([Visit(date(2026, 1, 2), 3)], None, [["day", "pages"], ["2026-01-02", "3"]]),
        ([Row("x", ["y"])], ["name", "tags"], [["name", "tags"], ["x", "['y']"]]),
        ([], ["a", "b"], [["a", "b"]]),
        ([], None, []),
    ],
)
def test_csv(tmp_path, items, columns, wanted):
    """Cells of dicts, tuples and objects, under a header where there are names."""
    Flow(items).to(tmp_path / "out.csv", columns=columns).run()
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == wanted


def test_text_and_bytes(tmp_path):
    """Texts are lines, pieces of bytes stand one behind the other."""
    Flow(["one", "zwei", "trés"]).to(tmp_path / "out.txt").map(str.encode).to(tmp_path / "out.bin").run()
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == "one\nzwei\ntrés\n"
    assert (tmp_path / "out.bin").read_bytes() == "onezweitrés".encode()
    Flow([1, 2]).map(str).to(tmp_path / "numbers", format="text").run()
    assert (tmp_path / "numbers").read_text() == "1\n2\n"


@pytest.mark.parametrize(
    ("name", "items", "match"),
    [
        ("out.jsonl", [1, object(), 3], "object"),
        ("out.csv", [{"a": 1}, {"z": 2}, {"a": 3}], "no column for z"),
        ("out.csv", [(1, 2), 5, (3, 4)], "int is no row"),
        ("out.txt", ["a", b"b", "c"], "bytes is no text"),
        ("out.bin", [b"a", "b", b"c"], "str is no piece"),
    ],
)
def test_an_item_that_cannot_be_written(tmp_path, name, items, match):
    """It ends the run, and no file is there; under "skip" the others are written."""
    with pytest.raises(Exception, match=match) as caught:
        Flow(items).to(tmp_path / name).run()
    assert f"1 to({name}), item 2" in caught.value.__notes__[0]
    assert os.listdir(tmp_path) == []
    report = Flow(items).to(tmp_path / name).run(on_error="skip")
    assert (report.items, report.skipped) == (2, 1)
    assert len((tmp_path / name).read_bytes()) > 1


def test_a_row_of_another_length(tmp_path):
    """It is no row of the table."""
    with pytest.raises(errors.UsageError, match="a row of 3 cells, and there are 2 columns"):
        Flow([(1, 2), (1, 2, 3)]).to(tmp_path / "out.csv", columns=["a", "b"]).run()


def test_nobody_sees_half_of_a_file(tmp_path):
    """While a run goes on and when it fails, the file that was there stays as it was."""
    path = tmp_path / "out.jsonl"
    path.write_text("before\n")
    path.chmod(0o640)
    seen = []

    def look(item):
        seen.append(path.read_text())
        if item == 2500:
            raise ValueError(item)
        return item

    with pytest.raises(ValueError, match="2500"):
        Flow(range(5000)).to(path).map(look).run()
    assert set(seen) == {"before\n"}
    assert os.listdir(tmp_path) == ["out.jsonl"]
    Flow(range(3)).to(path).run()
    assert path.read_text() == "0\n1\n2\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_consumer_that_leaves(tmp_path):
    """Half a file is not published; a whole one is, when the loop comes to its end."""
    flow = Flow(range(5000)).to(tmp_path / "out.jsonl")
    for item in flow:
        if item == 2000:
            break
    assert os.listdir(tmp_path) == []
    assert len(list(flow)) == 5000
    assert os.listdir(tmp_path) == ["out.jsonl"]


def test_a_link_stays_a_link(tmp_path):
    """The file that it points to is replaced."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link.txt").symlink_to("real/out.txt")
    Flow(["a"]).to(tmp_path / "link.txt").run()
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real" / "out.txt").read_text() == "a\n"


def test_two_runs_do_not_write_one_file(tmp_path):
    """The second is refused, and the first publishes what is its own."""
    path, begun, go = tmp_path / "out.jsonl", threading.Event(), threading.Event()

    def wait(item):
        begun.set()
        assert go.wait(30)
        return item

    first = threading.Thread(target=Flow(range(10)).to(path).each(wait).run)
    first.start()
    assert begun.wait(30)
    with pytest.raises(errors.UsageError, match="another run is writing"):
        Flow(range(3)).to(path).run()
    go.set()
    first.join()
    assert len(path.read_text().splitlines()) == 10
    assert os.listdir(tmp_path) == ["out.jsonl"]


def test_what_a_killed_run_left_is_not_in_the_way(tmp_path):
    """Without a checkpoint it begins anew."""
    (tmp_path / ".out.jsonl.part").write_text("of a run that was killed\n" * 100)
    Flow([1]).to(tmp_path / "out.jsonl").run()
    assert (tmp_path / "out.jsonl").read_text() == "1\n"
    assert os.listdir(tmp_path) == ["out.jsonl"]


@pytest.mark.parametrize(
    ("target", "match"),
    [
        ("nowhere/out.jsonl", "its folder is not there"),
        ("folder.jsonl", "is a folder"),
    ],
)
def test_a_place_that_cannot_be_written(tmp_path, target, match):
    """Is refused before anything is read, with what to do."""
    (tmp_path / "folder.jsonl").mkdir()
    read = []
    with pytest.raises(errors.UsageError, match=match):
        Flow(range(3)).each(read.append).to(tmp_path / target).run()
    assert read == []


def test_a_pipe_is_written_as_it_goes(tmp_path):
    """Not beside it: whoever reads there waits."""
    os.mkfifo(tmp_path / "out.txt")
    found = []
    reader = threading.Thread(target=lambda: found.append((tmp_path / "out.txt").read_text()))
    reader.start()
    Flow(["a", "b"]).to(tmp_path / "out.txt").run()
    reader.join(30)
    assert found == ["a\nb\n"]
    assert os.listdir(tmp_path) == ["out.txt"]


def test_a_full_disk(tmp_path):
    """It is told, and nothing is published: /dev/full is one."""
    with pytest.raises(errors.BrokenError, match="No space left"):
        Flow(["a"]).to("/dev/full", format="text").run()


def test_a_part_that_is_shorter_than_its_checkpoint(tmp_path):
    """Somebody cut it: to go on would lose lines."""
    (tmp_path / ".out.jsonl.part").write_text("1\n")
    with pytest.raises(errors.CorruptError, match=r"10 bytes of .* are gone"):
        Part(str(tmp_path / "out.jsonl"), is_kept=True, state={"length": 10, "is_whole": False})
    part = Part(str(tmp_path / "out.jsonl"), is_kept=True, state={"length": 2, "is_whole": False})
    part.close(keep=False)


class Mute:
    def __str__(self):
        raise RuntimeError("no text")


@pytest.mark.parametrize("with_job", [False, True])
@pytest.mark.parametrize("bad", [5, None, {"a": "\ud800"}, {"a": Mute()}, {"b": 1}])
def test_a_row_that_csv_cannot_have(tmp_path, bad, with_job):
    """Wherever it stands, it alone is passed over, and the columns are those of a row."""
    for at in (0, 1, 2):
        if at == 0 and bad == {"b": 1}:
            continue  # which has columns, and the others have others
        rows = [{"a": 1}, {"a": 2}]
        rows.insert(at, bad)
        options = {"checkpoint": tmp_path / f"{at}.state", "checkpoint_s": 1e-9} if with_job else {}
        report = Flow(rows, batch_rows=1).to(tmp_path / "out.csv").run(on_error="skip", **options)
        assert (report.items, report.failures[0].number) == (2, at + 1)
        assert (tmp_path / "out.csv").read_text() == "a\n1\n2\n"


def test_names_of_columns_that_are_no_texts(tmp_path):
    """Are written as texts, in each row."""
    Flow([{1: "a", None: "b"}, {None: "c"}]).to(tmp_path / "out.csv").run()
    assert (tmp_path / "out.csv").read_text() == "1,None\na,b\n,c\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_stays(tmp_path):
    """With the group and the mode."""
    (tmp_path / "out.txt").write_text("before\n")
    os.chown(tmp_path / "out.txt", 1234, 2345)
    os.chmod(tmp_path / "out.txt", 0o640)
    Flow(["after"]).to(tmp_path / "out.txt").run()
    found = (tmp_path / "out.txt").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (1234, 2345, 0o640)


def test_a_file_that_cannot_be_published(tmp_path):
    """Nothing is left beside what is there."""
    flow = Flow(["a"]).each(lambda _item: (tmp_path / "out.txt").mkdir()).to(tmp_path / "out.txt")
    with pytest.raises(errors.BrokenError, match=r"writing .* failed"):
        flow.run()
    assert os.listdir(tmp_path) == ["out.txt"]


def test_two_keys_with_one_name_are_no_row_of_csv(tmp_path):
    """One of their values would not be written."""
    rows = [{"1": "a", "x": 1}, {1: "b", "1": "c", "x": 2}, {1: "d", "x": 3}]
    report = Flow(rows).to(tmp_path / "out.csv").run(on_error="skip")
    assert report.skipped == 1
    assert "one name" in str(report)
    assert (tmp_path / "out.csv").read_text().splitlines() == ["1,x", "a,1", "d,3"]
