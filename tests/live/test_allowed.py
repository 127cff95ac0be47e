"""The lists of what a SELECT may have."""

from flatwater.live.allowed import FUNCTIONS, NODES


def test_nothing_that_reads_the_world():
    """Neither a file, the network, a setting, chance, nor rows or texts from nothing."""
    words = (
        "read",
        "file",
        "scan",
        "http",
        "copy",
        "setting",
        "env",
        "random",
        "uuid",
        "series",
        "unnest",
        "range",
        "sleep",
        "load",
        "glob",
        "repeat",
        "lpad",
        "rpad",
        "space",
        "exec",
        "version",
        "user",
        "schema",
        "database",
    )
    assert [name for name in FUNCTIONS if any(word in name for word in words)] == []
    assert all(name == name.lower() for name in FUNCTIONS)
    names = {node.__name__ for node in NODES}
    assert not names & {
        "Insert",
        "Update",
        "Delete",
        "Create",
        "Drop",
        "Command",
        "Into",
        "Lateral",
        "Unnest",
        "TableSample",
        "Pivot",
        "Lock",
        "Hint",
        "Set",
        "Copy",
    }
