import errno
import os
import shutil

import numpy as np
import pytest

from flatwater import limits
from flatwater.errors import BrokenError, ClosedError, CorruptError
from flatwater.ingest.vectors import GenerationGone, Vectors, live_blocks, names, quantised

WIDTH = 8


def some(count, width=WIDTH, seed=0):
    """Vectors of length 1."""
    vectors = np.random.default_rng(seed).standard_normal((count, width), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def ids_of(count, first=0, step=3):
    return np.arange(first, first + count * step, step, dtype=np.uint64)


def written(folder, count, width=WIDTH):
    vectors = some(count, width)
    with Vectors.writing(folder, width) as writer:
        writer.append(ids_of(count), vectors)
        writer.sync()
    return vectors


def sizes(folder, width=WIDTH):
    return [(folder / name).stat().st_size for name in names(width)]


def packed(live):
    return np.packbits(np.asarray(live, bool), bitorder="little").tobytes()


def test_rows_come_back(tmp_path):
    """What is appended is read by slot: ids as they were, vectors exactly."""
    vectors = written(tmp_path / "1", 1_000)
    with Vectors.reading(tmp_path / "1", WIDTH) as reader:
        reader.check(1_000)
        assert reader.ids_at([0, 999, 5]).tolist() == [0, 2997, 15]
        assert np.array_equal(reader.vectors_at([7, 3]), vectors[[7, 3]])
        assert reader.vectors_at([]).shape == (0, WIDTH)


def test_slots_are_found_by_id(tmp_path):
    """The slot of an id is found at both ends and between, and -1 where there is none, or none that counts."""
    written(tmp_path / "1", 10_000)
    with Vectors.reading(tmp_path / "1", WIDTH) as reader:
        asked = np.array([0, 3, 29_997, 15_000, 1, 30_000, 2**64 - 1], np.uint64)
        assert reader.slots_of(asked, 10_000).tolist() == [0, 1, 9_999, 5_000, -1, -1, -1]
        assert reader.slots_of(asked, 5_000).tolist() == [0, 1, -1, -1, -1, -1, -1]
        assert reader.slots_of(asked, 0).tolist() == [-1] * 7
        assert reader.slots_of(np.empty(0, np.uint64), 10).tolist() == []


def test_ids_above_63_bits(tmp_path):
    """Ids use all 64 bits."""
    with Vectors.writing(tmp_path / "1", WIDTH) as writer:
        writer.append(np.array([2**63 - 1, 2**63, 2**64 - 1], np.uint64), some(3))
        assert writer.slots_of(np.array([2**64 - 1], np.uint64), 3).tolist() == [2]


def test_an_uncommitted_tail_is_cut_off(tmp_path):
    """What a killed writer left behind the count is gone for the next one, also a torn row, and it appends in its place."""
    folder = tmp_path / "1"
    vectors = written(folder, 100)
    with (folder / names(WIDTH)[2]).open("ab") as file:
        file.write(b"torn")
    with Vectors.writing(folder, WIDTH, 60) as writer:
        assert sizes(folder) == [60 * 8, 60 * 4, 60 * WIDTH, 60 * 4 * WIDTH]
        writer.append(ids_of(2, first=178), vectors[:2])
        assert writer.count == 62
        assert writer.ids_at([59, 60, 61]).tolist() == [177, 178, 181]
        writer.truncate(60)
        writer.append(ids_of(1, first=500), vectors[:1])
        assert writer.ids_at([60]).tolist() == [500]


def test_count_zero_begins_anew(tmp_path):
    """A folder that a killed run left before its first commit is taken over, empty."""
    written(tmp_path / "1", 10)
    with Vectors.writing(tmp_path / "1", WIDTH, 0):
        assert sizes(tmp_path / "1") == [0, 0, 0, 0]


@pytest.mark.parametrize("which", range(4))
def test_a_file_with_fewer_rows_than_were_committed(tmp_path, which):
    """It is named, with what to do; a writer cuts nothing off then."""
    folder = tmp_path / "1"
    written(folder, 100)
    path = folder / names(WIDTH)[which]
    os.truncate(path, path.stat().st_size // 2)
    before = sizes(folder)
    with Vectors.reading(folder, WIDTH) as reader, pytest.raises(CorruptError) as caught:
        reader.check(100)
    assert str(caught.value) == f"{path} has 50 vectors; 100 were written. " + caught.value.hint
    assert "ingest its sources again" in caught.value.hint
    with pytest.raises(CorruptError, match="50 vectors"):
        Vectors.writing(folder, WIDTH, 80)
    assert sizes(folder) == before


def test_a_file_that_ends_while_it_is_read(tmp_path):
    """A row behind the end of a file is an error, not memory of something else."""
    written(tmp_path / "1", 10)
    with Vectors.reading(tmp_path / "1", WIDTH) as reader:
        for asked in (reader.ids_at, reader.vectors_at):
            with pytest.raises(CorruptError, match="ends in slot 10; more"):
                asked([10])
        with pytest.raises(CorruptError, match="10 vectors; 11 were written"):
            reader.slots_of(ids_of(1), 11)


@pytest.mark.parametrize("width", [WIDTH // 2, WIDTH * 2])
def test_another_width(tmp_path, width):
    """Vectors of another width are refused by reader and writer, before anything is cut off."""
    written(tmp_path / "1", 10)
    before = sizes(tmp_path / "1")
    for opened in (Vectors.reading, lambda *at: Vectors.writing(*at, 5), Vectors.writing):
        with pytest.raises(CorruptError, match=f"has vectors of {WIDTH} dimensions, not {width}"):
            opened(tmp_path / "1", width)
    assert sizes(tmp_path / "1") == before


def test_a_generation_that_is_not_there(tmp_path, open_files):
    """A reader that comes too late is told so, and leaves no file open; a writer with rows is, too."""
    before = open_files()
    for opened in (Vectors.reading, lambda *at: Vectors.writing(*at, 5)):
        with pytest.raises(GenerationGone, match=r"ids\.u64 is not there"):
            opened(tmp_path / "1", WIDTH)
    written(tmp_path / "1", 10)
    (tmp_path / "1" / names(WIDTH)[3]).unlink()
    with pytest.raises(GenerationGone, match=r"f32 is not there"):
        Vectors.reading(tmp_path / "1", WIDTH)
    assert open_files() <= before


def test_a_reader_of_a_deleted_generation(tmp_path):
    """A generation that was deleted goes on being read by those who have it open."""
    vectors = written(tmp_path / "1", 10)
    with Vectors.reading(tmp_path / "1", WIDTH) as reader:
        shutil.rmtree(tmp_path / "1")
        reader.check(10)
        assert np.array_equal(reader.vectors_at([9]), vectors[[9]])
        assert reader.slots_of(np.array([27], np.uint64), 10).tolist() == [9]


def test_a_reader_sees_what_is_appended(tmp_path):
    """A reader that is open reads rows that were committed since."""
    written(tmp_path / "1", 10)
    with Vectors.reading(tmp_path / "1", WIDTH) as reader, Vectors.writing(tmp_path / "1", WIDTH, 10) as writer:
        writer.append(ids_of(5, first=100), some(5))
        reader.check(15)
        assert reader.ids_at([14]).tolist() == [112]


def test_pieces_of_an_append(tmp_path, monkeypatch):
    """An append of many vectors is written in pieces, and is the same."""
    written(tmp_path / "1", 100)
    monkeypatch.setattr(limits, "INGEST_APPEND_BYTES", 7 * 4 * WIDTH)
    written(tmp_path / "2", 100)
    for name in names(WIDTH):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_a_disk_that_is_full(tmp_path, monkeypatch):
    """Nothing counts of an append that fails, and the next one takes its place."""
    pwrite = os.pwrite

    def full(file, data, at):
        if len(data) == 5 * 4 * WIDTH:
            raise OSError(errno.ENOSPC, "No space left on device")
        return pwrite(file, data[:3], at)  # the kernel may take less than it is given

    with Vectors.writing(tmp_path / "1", WIDTH) as writer:
        writer.append(ids_of(2), some(2))
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(BrokenError, match=r"No space left.*Make room"):
            writer.append(ids_of(5, first=50), some(5))
        assert writer.count == 2
        writer.append(ids_of(4, first=50), some(4, seed=1))
        assert writer.ids_at([1, 2]).tolist() == [3, 50]
        assert np.array_equal(writer.vectors_at([5]), some(4, seed=1)[3:])


def test_what_a_caller_must_not_do(tmp_path):
    """Ids that do not ascend, other shapes, NaN and infinity are mistakes of the program."""
    with Vectors.writing(tmp_path / "1", WIDTH) as writer:
        writer.append(ids_of(2, first=5), some(2))
        writer.append(ids_of(0), some(0))
        for ids in ([8], [9, 9], [10, 9]):
            with pytest.raises(AssertionError):
                writer.append(np.array(ids, np.uint64), some(len(ids)))
        for vectors in (
            some(1, WIDTH + 1),
            np.full((1, WIDTH), np.nan, np.float32),
            np.full((1, WIDTH), np.inf, np.float32),
        ):
            with pytest.raises(AssertionError):
                writer.append(ids_of(1, first=100), vectors)
        assert writer.count == 2
    with pytest.raises(ClosedError, match="are closed"):
        writer.sync()


def test_quantised_rows():
    """An i8 row times its scale is the vector to within its precision; zero and almost zero vectors are zero rows."""
    vectors = some(500, 384)
    levels, scales = quantised(vectors)
    assert levels.dtype == np.int8
    assert np.abs(levels).max(axis=1).tolist() == [127] * 500
    assert np.abs(levels * scales[:, None] - vectors).max() < 0.0015
    assert np.allclose(np.linalg.norm(levels * scales[:, None], axis=1), 1)
    for tiny in (0, 1e-31, 1e-42):
        levels, scales = quantised(np.full((1, 4), tiny, np.float32))
        assert (levels.any(), scales.tolist()) == (False, [0.0])
    small, large = quantised(vectors * np.float32(1e-6))[0], quantised(vectors * np.float32(1e4))[0]
    assert np.abs(small.astype(int) - large).max() <= 1  # whatever their length


def test_live_rows_move_to_another_generation(tmp_path, monkeypatch):
    """Copied are the live rows, in their order and bit by bit, whatever the pieces are."""
    monkeypatch.setattr(limits, "INGEST_BLOCK_SLOTS", 64)
    monkeypatch.setattr(limits, "INGEST_COPY_BYTES", 20 * (12 + 5 * WIDTH))
    written(tmp_path / "1", 300)
    live = np.random.default_rng(1).random(300) < 0.3
    live[64:128] = True
    masks = {0: packed(live[:64]), 1: None, 2: b"", 3: packed(live[192:256])[:4], 4: packed(live[256:])}
    live[128:192] = live[192 + 32 : 256] = False
    with Vectors.reading(tmp_path / "1", WIDTH) as source, Vectors.writing(tmp_path / "2", WIDTH) as target:
        target.copy_live(source, 300, masks.__getitem__)
        assert target.count == live.sum()
        target.append(ids_of(1, first=1_000), some(1))
    for name, unit in zip(names(WIDTH), (8, 4, WIDTH, 4 * WIDTH), strict=True):
        before, after = ((tmp_path / each / name).read_bytes() for each in "12")
        assert after[:-unit] == np.frombuffer(before, np.uint8).reshape(300, unit)[live].tobytes()


def test_live_blocks_have_something_live():
    """Blocks without anything live are left out, and the last one ends with the rows that count."""
    slots = limits.INGEST_BLOCK_SLOTS
    masks = {0: b"", 1: None, 2: bytes(slots // 8), 3: b"\x05"}
    found = [(first, len(live), int(live.sum())) for first, live in live_blocks(3 * slots + 5, masks.__getitem__)]
    assert found == [(slots, slots, slots), (3 * slots, 5, 2)]
    assert [len(live) for _, live in live_blocks(slots + 1, None)] == [slots, 1]
    assert list(live_blocks(0, None)) == []


def test_slots_are_found_in_any_stretch(tmp_path, monkeypatch):
    """Of ids with holes between them, asked for in any order, while rows come and go."""
    monkeypatch.setattr(limits, "INGEST_IDS_STEP", 8)
    rng = np.random.default_rng(3)
    ids = np.cumsum(rng.integers(1, 4, 100)).astype(np.uint64)
    rows = rng.standard_normal((100, 4)).astype(np.float32)
    with Vectors.writing(tmp_path / "v", 4) as vectors:
        for first, stop in ((0, 1), (1, 8), (8, 9), (9, 40), (40, 100)):
            vectors.append(ids[first:stop], rows[first:stop])
            asked = rng.permutation(np.arange(int(ids[-1]) + 5, dtype=np.uint64))
            expected = {int(each): slot for slot, each in enumerate(ids[:stop])}
            for count in {1, stop // 2, stop} - {0}:
                found = vectors.slots_of(asked, count).tolist()
                assert found == [slot if (slot := expected.get(int(each), -1)) < count else -1 for each in asked]
        vectors.truncate(50)
        vectors.append(ids[60:70], rows[60:70])
        assert vectors.slots_of(ids[45:70], vectors.count).tolist() == [*range(45, 50), *[-1] * 10, *range(50, 60)]
