import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from flatwater import limits
from flatwater.errors import CorruptError, UsageError
from flatwater.ingest import kernels, scan
from flatwater.ingest.scan import nearest
from flatwater.ingest.vectors import Vectors


def clustered(count, width, centres=50, noise=0.6, seed=0):
    """Vectors of length 1 around some centres."""
    rng = np.random.default_rng(seed)
    middles = rng.standard_normal((centres, width), dtype=np.float32)
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    spread = np.float32(noise / width**0.5)
    vectors = middles[rng.integers(0, centres, count)] + rng.standard_normal((count, width), dtype=np.float32) * spread
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def stored(folder, vectors, step=2):
    """Read the vectors of a folder, whose ids are the even numbers."""
    with Vectors.writing(folder, vectors.shape[1]) as writer:
        writer.append(np.arange(0, len(vectors) * step, step, dtype=np.uint64), vectors)
    return Vectors.reading(folder, vectors.shape[1])


def exact(vectors, query, k):
    return (np.argsort(-(vectors @ query), kind="stable")[:k] * 2).tolist()


def recall(vectors, reader, queries, k=10):
    hits = [len({i for i, _ in nearest(reader, len(vectors), q, k)} & set(exact(vectors, q, k))) for q in queries]
    return sum(hits) / k / len(queries)


@pytest.fixture
def small(monkeypatch):
    """Small blocks and pieces, so that few vectors have many of them."""
    monkeypatch.setattr(limits, "INGEST_BLOCK_SLOTS", 256)
    monkeypatch.setattr(limits, "INGEST_SCAN_BYTES", 100 * 64)


@pytest.mark.parametrize("width", [8, 64, 128, 384, 768, 1024])
def test_the_nearest_are_found_at_every_width(tmp_path, width):
    """Of clustered vectors at least 99 of 100 nearest are those that f32 finds."""
    vectors = clustered(20_000, width)
    queries = clustered(20_000 + 10, width)[20_000:]
    with stored(tmp_path / "1", vectors) as reader:
        assert recall(vectors, reader, queries) >= 0.99
        assert recall(vectors, reader, queries[:4], k=100) >= 0.99


def test_products_are_those_of_f32(tmp_path):
    """A result's score is the product of its vector with the query in full, to f32."""
    vectors = clustered(1_000, 384)
    with stored(tmp_path / "1", vectors) as reader:
        for found, score in nearest(reader, 1_000, vectors[5], 20):
            product = vectors[found // 2].astype(np.float64) @ vectors[5].astype(np.float64)
            assert score == pytest.approx(product, abs=1e-7)
        assert nearest(reader, 1_000, vectors[5], 1)[0][0] == 10


def test_vectors_of_other_lengths(tmp_path):
    """Vectors that are not of length 1 rank by their product, in i8 as in f32."""
    lengths = np.random.default_rng(3).uniform(0.01, 100, (5_000, 1)).astype(np.float32)
    vectors = clustered(5_000, 64) * lengths
    with stored(tmp_path / "1", vectors) as reader:
        assert recall(vectors, reader, clustered(10, 64, seed=9) * np.float32(40)) >= 0.99


def test_one_large_value(tmp_path):
    """Vectors with one value far above the others, which leaves few levels to the others, are still found."""
    vectors = clustered(5_000, 128)
    vectors[:, 0] = 3
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with stored(tmp_path / "1", vectors) as reader:
        assert recall(vectors, reader, vectors[:20]) >= 0.95


def test_equal_vectors_come_by_id(tmp_path, small):
    """Of equal vectors the lowest ids are found, with equal scores, wherever they stand."""
    vectors = clustered(4_000, 64)
    vectors[np.arange(5, 4_000, 7)] = vectors[5]
    with stored(tmp_path / "1", vectors) as reader:
        found = nearest(reader, 4_000, vectors[5], 50)
    assert [id_ for id_, _ in found] == [2 * slot for slot in range(5, 355, 7)]
    assert len({score for _, score in found}) == 1


def test_all_are_equal(tmp_path, small):
    """Where all are equal, or the query is zero, or the vectors are, the first ones are found."""
    for name, vectors in (("1", np.full((3_000, 64), 0.125, np.float32)), ("2", np.zeros((3_000, 64), np.float32))):
        with stored(tmp_path / name, vectors) as reader:
            for query in (vectors[0], np.zeros(64, np.float32)):
                found = nearest(reader, 3_000, query, 10)
                assert [id_ for id_, _ in found] == list(range(0, 20, 2))


def test_zero_vectors_among_others(tmp_path):
    """A zero vector has a score of 0: behind those that are like the query, before those that are unlike it."""
    vectors = np.zeros((3, 4), np.float32)
    vectors[1, 0], vectors[2, 0] = -1, 1
    with stored(tmp_path / "1", vectors) as reader:
        assert nearest(reader, 3, vectors[2], 3) == [(4, 1.0), (0, 0.0), (2, -1.0)]


def test_masks(tmp_path, small):
    """What is not live is not found: blocks that are all live, none of it, in part, and masks that end before their block."""
    vectors = clustered(2_000, 64)
    live = np.random.default_rng(2).random(2_000) < 0.1
    live[256:512] = True
    live[512:1024] = False
    live[1024:1280] = False
    live[1030] = True
    masks = [np.packbits(live[at : at + 256], bitorder="little").tobytes() for at in range(0, 2_000, 256)]
    masks[1:5] = [None, b"", bytes(32), masks[4][:1]]
    asked = []

    def mask(block):
        asked.append(block)
        return masks[block]

    with stored(tmp_path / "1", vectors) as reader:
        for query in vectors[:5]:
            products = np.where(live, vectors @ query, -9)
            expected = (np.argsort(-products, kind="stable")[:10] * 2).tolist()
            assert [id_ for id_, _ in nearest(reader, 2_000, query, 10, mask)] == expected
        assert asked[:8] == list(range(8))
        assert nearest(reader, 2_000, vectors[0], 10, lambda _: b"") == []
        one = [b"", b"", b"", b"\x00\x08"]
        assert [id_ for id_, _ in nearest(reader, 1_024, vectors[0], 10, one.__getitem__)] == [2 * (768 + 11)]


def test_fewer_than_asked_for(tmp_path):
    """Of fewer vectors than results all are found; of none, none; and what is behind the count is not looked at."""
    vectors = clustered(5, 16)
    with stored(tmp_path / "1", vectors) as reader:
        assert len(nearest(reader, 5, vectors[0], 1_000)) == 5
        assert {id_ for id_, _ in nearest(reader, 2, vectors[4], 5)} == {0, 2}
        assert nearest(reader, 0, vectors[0], 5) == []


def test_how_it_is_divided_changes_nothing(tmp_path, monkeypatch):
    """Blocks, pieces and libraries give the same results, scores included."""
    vectors = clustered(6_000, 64, centres=5, noise=0.1)
    vectors[::3] = vectors[0]
    found = []
    with stored(tmp_path / "1", vectors) as reader:
        for slots, size in ((32_768, 1 << 19), (128, 64), (512, 6_400), (1_024, 1 << 19)):
            monkeypatch.setattr(limits, "INGEST_BLOCK_SLOTS", slots)
            monkeypatch.setattr(limits, "INGEST_SCAN_BYTES", size)
            found.append([nearest(reader, 6_000, query, 7) for query in vectors[:5]])
        monkeypatch.setattr(kernels, "dots", lambda: kernels.dots_of("numpy"))
        found.append([nearest(reader, 6_000, query, 7) for query in vectors[:5]])
    assert found[1:] == found[:-1]


def test_a_file_that_shrinks_during_a_search(tmp_path, monkeypatch):
    """It is an error that says where the file ends, not a result."""
    with stored(tmp_path / "1", clustered(4_000, 64)) as reader:
        monkeypatch.setattr(Vectors, "check", lambda self, count: None)
        with pytest.raises(CorruptError, match="ends in slot 4,000"):
            nearest(reader, 5_000, np.ones(64, np.float32), 5)


def test_several_searches_at_a_time(tmp_path, small):
    """Threads that search with the same reader find what one finds."""
    vectors = clustered(4_000, 64)
    with stored(tmp_path / "1", vectors) as reader, ThreadPoolExecutor(4) as pool:
        alone = [nearest(reader, 4_000, query, 5) for query in vectors[:40]]
        assert list(pool.map(lambda query: nearest(reader, 4_000, query, 5), vectors[:40])) == alone


def test_fewer_rows_than_committed(tmp_path):
    """It is told before anything is compared."""
    with stored(tmp_path / "1", clustered(10, 16)) as reader, pytest.raises(CorruptError, match="11 were written"):
        nearest(reader, 11, np.ones(16, np.float32), 1)


def test_a_deleted_generation_is_searched(tmp_path):
    """A search goes on in a generation that was deleted meanwhile."""
    vectors = clustered(100, 16)
    with stored(tmp_path / "1", vectors) as reader:
        before = nearest(reader, 100, vectors[0], 5)
        shutil.rmtree(tmp_path / "1")
        assert nearest(reader, 100, vectors[0], 5) == before


@pytest.mark.parametrize("k", [0, -1, 1_001, 2.5, True])
def test_results_that_make_no_sense(tmp_path, k):
    """So many results are refused, with the range."""
    with stored(tmp_path / "1", clustered(3, 4)) as reader, pytest.raises(UsageError, match="from 1 to 1000"):
        nearest(reader, 3, np.ones(4, np.float32), k)


def test_the_bound_is_a_few_mebibytes():
    """A search of usual width holds at most 2 MiB, one at the largest bounds 32, and neither depends on how many vectors there are."""
    assert scan.bytes_max(384, 10) <= 2 << 20
    assert scan.bytes_max(limits.INGEST_WIDTH_MAX, limits.INGEST_RESULTS_MAX) <= 32 << 20


def test_the_bound_holds(tmp_path):
    """What numpy allocates during a search stays below the bound that is told."""
    import tracemalloc

    vectors = clustered(150_000, 64)
    with stored(tmp_path / "1", vectors) as reader:
        nearest(reader, 150_000, vectors[0], 10)
        for k in (10, 1_000):
            tracemalloc.start()
            nearest(reader, 150_000, vectors[0], k)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak <= scan.bytes_max(64, k)


def test_near_duplicates_are_told_apart(tmp_path):
    """The ten nearest of vectors that differ by a thirtieth, 200 around each of a hundred centres, are the exact ones."""
    rng = np.random.default_rng(11)
    centres = rng.standard_normal((100, 384)).astype(np.float32)
    vectors = np.repeat(centres, 200, axis=0) + 0.03 * rng.standard_normal((20_000, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with stored(tmp_path / "1", vectors) as reader:
        assert recall(vectors, reader, vectors[::4_000] + 0) >= 0.99
