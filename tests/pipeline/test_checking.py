"""What can be a stage's function."""

from __future__ import annotations

import functools
import os

import pytest

import flatwater as fw
from flatwater import errors
from flatwater.pipeline.checking import function_of, is_a, of_an_item
from flatwater.pipeline.flow import Flow


async def later(item):
    return item


async def many(item):
    yield item


def several(item):
    yield item


class Caller:
    async def __call__(self, item):
        return item


@pytest.mark.parametrize("function", [str, len, lambda item: item, functools.partial(max, 1), "a".join])
def test_functions(function):
    """They are given back."""
    assert of_an_item(function) is function_of(function) is function


@pytest.mark.parametrize(
    ("function", "match"),
    [
        (7, "7 is no function"),
        (None, "None is no function"),
        (later, "later is asynchronous"),
        (many, "many is asynchronous"),
        (functools.partial(later), "later is asynchronous"),
        (Caller(), "Caller is asynchronous"),
        (several, "several is a generator function"),
    ],
)
def test_what_is_none(function, match):
    """With what to do instead."""
    with pytest.raises(errors.UsageError, match=match) as caught:
        of_an_item(function)
    assert caught.value.hint


def test_a_generator_function_can_be_one_of_many():
    """flat_map and pipe take it."""
    assert function_of(several) is several


def test_what_is_of_this_house():
    """A class that nobody has imported has no values."""
    import flatwater.pipeline.flow

    flow = flatwater.pipeline.flow.Flow([])
    assert is_a("flatwater.pipeline.flow", "Flow", flow)
    assert not is_a("flatwater.pipeline.flow", "Flow", 7)
    assert not is_a("flatwater.nowhere", "Flow", flow)


def test_one_file_under_two_names(tmp_path):
    """It is refused before anything is read or written; a device may be written twice."""
    (tmp_path / "in.txt").write_text("a\n")
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "out.jsonl")
    out, read = str(tmp_path / "out.jsonl"), []
    flow = Flow(fw.lines(tmp_path / "in.txt")).each(read.append)
    for refused, options in (
        (flow.to(out).to(tmp_path / "link.jsonl"), {}),
        (flow.to(out), {"checkpoint": out}),
        (flow.to(out), {"dead_letters": tmp_path / "link.jsonl"}),
        (flow, {"dead_letters": out, "checkpoint": out}),
        (flow, {"dead_letters": tmp_path / "in.txt"}),
    ):
        with pytest.raises(errors.UsageError, match="Name another file"):
            refused.run(**options)
    assert (read, sorted(os.listdir(tmp_path))) == ([], ["in.txt", "link.jsonl"])
    assert flow.to(os.devnull, format="text").to(os.devnull, format="text").run().items == 1


def test_a_file_at_the_place_where_another_is_written_first(tmp_path):
    """Neither takes what is the other's."""
    flow = Flow(["a"]).to(tmp_path / ".out.txt.part", format="text").map(str.upper).to(tmp_path / "out.txt")
    with pytest.raises(errors.UsageError, match=r"is written by to\(.out.txt.part\) and by to\(out.txt\)"):
        flow.run()
    with pytest.raises(errors.UsageError, match=r"is written by to\(out.txt\) and by dead_letters="):
        Flow(["a"]).to(tmp_path / "out.txt").run(dead_letters=tmp_path / ".out.txt.part")
    assert not list(tmp_path.iterdir())
