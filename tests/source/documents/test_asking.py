import pytest

from flatwater import errors
from flatwater.source.documents import asking


def test_a_path_a_pattern_and_several_are_taken():
    """A path that is there and a pattern are themselves; several are a list."""
    assert asking.checked_paths(__file__) == [__file__]
    assert asking.checked_paths(["a", "b"]) == ["a", "b"]


@pytest.mark.parametrize("path", [3, b"a", [3], "", "a\0b", [""]])
def test_what_is_no_path_is_refused(path):
    """What cannot be a path is a UsageError."""
    with pytest.raises(errors.UsageError, match="no path"):
        asking.checked_paths(path)


def test_a_size_has_two_bounds():
    """A size below the least or above the most is refused, with the bound."""
    assert asking.between("1 KiB", "piece_bytes", 16, 4096) == 1024
    with pytest.raises(errors.UsageError, match="too large"):
        asking.between("1 MiB", "piece_bytes", 16, 4096)
    with pytest.raises(errors.UsageError, match="too small"):
        asking.between(3, "piece_bytes", 16, 4096)
