"""tour.lab.observing: what one process sees of one program."""

from __future__ import annotations

import sys
import tracemalloc

import pytest

from flatwater import units, worker
from flatwater.tour.lab.observing import make_room_for_names, observe

PROGRAMS = "flatwater.tour.lab.programs"
MIB = units.MIB


def observed(program, *args, **options):
    return worker.call(observe, (f"{PROGRAMS}.{program}", args), options, limit="512 MiB", timeout="60s")


def test_resident_and_own_size_of_a_list():
    """A million numbers: getsizeof is 8 bytes each, resident 32 more; the time is the program's; the answer is right."""
    seen = observed("ranges:as_list", 1_000_000)
    (made,) = seen.moments
    assert seen.answer == 999_999 * 500_000
    assert made.own_bytes == pytest.approx(8_000_000, abs=100)
    assert 36 * MIB <= made.resident <= seen.peak <= 46 * MIB
    assert made.peak == pytest.approx(seen.peak, rel=0.05)
    assert (seen.traced_peak, made.traced, made.live) == (-1, -1, -1)
    assert 0 < seen.cpu_s < 30


def test_tracemalloc_counts_what_was_asked_for():
    """Traced, the list is 40 bytes a number to a tenth of a per cent, and a range a few hundred bytes; it ends where told."""
    seen = observed("ranges:as_list", 200_000, traced=True, until="made")
    assert seen.traced_peak == pytest.approx(200_000 * 40, rel=0.002)
    assert seen.answer is None
    assert len(seen.moments) == 1
    assert observed("ranges:as_range", 200_000, traced=True, until="made").traced_peak < 2_000


def test_each_moment_has_its_own_peak():
    """After a ring is dropped and collected the peak since the moment before is what the step grew by, not the whole run's."""
    seen = observed("cycles:ring", 100_000, traced=True)
    built, dropped, collected = seen.moments
    assert [moment.name for moment in seen.moments] == ["built", "dropped", "collected"]
    assert built.traced > dropped.traced > 4 * MIB
    assert collected.traced < 64 * units.KIB
    assert collected.traced_peak >= dropped.traced - 1024
    assert dropped.peak < MIB < built.peak
    assert seen.traced_peak >= built.traced


def test_a_program_counts_by_itself():
    """A count that a program tells with a moment stands there; it is no object whose size is asked for."""
    moments = observed("builders:all_kept", 200).moments
    assert [(moment.name, moment.count) for moment in moments] == [("empty", 0), ("after 100", 100), ("after all", 200)]
    assert {moment.own_bytes for moment in moments} == {-1}


def test_what_is_imported_on_first_use_is_not_the_programs():
    """What a library and the ambient budget import on their first use is there before the figures begin."""
    assert observed("files:in_chunks", "/dev/null", 1024, traced=True).traced_peak < 100_000


def test_names_find_their_table_large_enough():
    """However many names there were, a thousand more do not make the table of names grow while something is measured."""
    for before in range(0, 12_000, 1_000):
        for number in range(before):
            sys.intern(f"before {before} {number}")
        make_room_for_names()
        tracemalloc.start(1)
        try:
            for number in range(1_000):
                sys.intern(f"behind {before} {number}")
            assert tracemalloc.get_traced_memory()[1] < 64 * units.KIB
        finally:
            tracemalloc.stop()


@pytest.mark.slow
def test_parts_tell_why_memory_stays():
    """With parts, survivors among freed objects show as pinned arenas, and larger blocks as kept until they are trimmed."""
    _made, freed, trimmed = observed("retention:small_survivors", 100_000, parts=True).moments
    assert min(freed.pinned, trimmed.pinned) > 15 * MIB
    _made, freed, trimmed = observed("retention:large_survivors", 100_000, parts=True).moments
    if freed.kept >= 0:  # the C library tells
        assert freed.kept > 15 * MIB > trimmed.resident


def test_a_programs_error_is_its_own():
    """What a program raises comes out as it is; a program that is not there is an import error."""
    with pytest.raises(FileNotFoundError):
        observe(f"{PROGRAMS}.files:whole", ("/no/such/file",))
    with pytest.raises(AttributeError):
        observe(f"{PROGRAMS}.files:nothing", ())
