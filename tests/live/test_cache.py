"""A cache in bytes."""

from flatwater.live.cache import Cache


def test_the_least_used_go():
    """It stays within its bytes; what was looked at stays longer than what was not."""
    cache = Cache(1_000)
    for n in range(3):
        cache.put(n, str(n), 80)
    assert cache.get(0) == "0"
    cache.put(3, "3", 80)
    assert (cache.get(1), cache.get(0), cache.held <= 1_000, len(cache)) == (None, "0", True, 3)


def test_what_is_too_large_is_not_kept():
    """It does not drive out everything else."""
    cache = Cache(1_000)
    cache.put("a", 1, 10)
    cache.put("b", 2, 5_000)
    assert (cache.get("a"), cache.get("b")) == (1, None)


def test_replacing_and_forgetting():
    """Bytes are those of what is kept now."""
    cache = Cache(1_000)
    cache.put("a", 1, 100)
    cache.put("a", 2, 200)
    assert (cache.get("a"), cache.held) == (2, 450)
    cache.forget("a")
    cache.forget("a")
    assert cache.held == 0
    cache.put("a", 1, 1)
    cache.clear()
    assert (len(cache), cache.held) == (0, 0)
