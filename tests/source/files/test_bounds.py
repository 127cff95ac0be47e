from __future__ import annotations

from flatwater.source.files import bounds


def test_every_bound_is_a_number_with_a_cost():
    """Each is a positive number, and its line says what it costs."""
    found = {name: value for name, value in vars(bounds).items() if name.startswith("FILES_")}
    assert all(value > 0 for value in found.values())
    with open(bounds.__file__, encoding="utf-8") as file:
        assert [line for line in file if line.startswith("FILES_") and "  # " not in line] == []
