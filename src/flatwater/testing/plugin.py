"""The pytest plugin: marks that hold a test to a claim about memory, the fixture `budget`, and `--mem-top`.

Covers:     what pytest calls: options, marks, the tests that carry them, the fixtures `budget` and `n`.
Not here:   everything behind it, which is imported when a session has a use for it.
Holds:      nothing for a session that uses none of it, but a copy of the environment.

For tests without marks there is no hook: a session looks through its tests once, when they are collected.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flatwater.testing.session import CHILD_PLUGIN, remember

TYPE_CHECKING = False  # typing is one more module in sessions that use nothing of this
if TYPE_CHECKING:
    from flatwater.budget.budget import Budget

BUDGET_DEFAULT = "256 MiB"
NAMES = ("mem_max", "mem_constant", "mem_no_leaks")
HELP = {
    "mem_max(limit, timeout=120)": "fails where the peak of the call is more than the limit above its start",
    "mem_constant(sizes='25k..400k', target=None, budget=None, resolution=16, metric='rss', repeat=1, timeout=120)": (
        "fails where the peak grows with n, which the test takes"
    ),
    "mem_no_leaks(rounds=8, warmup=2, timeout=120)": "fails where something grows on every round of the call",
    "mem_budget(size)": f"of the fixture budget; {BUDGET_DEFAULT} without it",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--mem-top` and the ini option `mem_budget`."""
    group = parser.getgroup("flatwater", "memory (flatwater)")
    group.addoption(
        "--mem-top", type=int, default=0, metavar="N",
        help="Show the N tests during which this process grew most (an indication: memory is reused).",
    )  # fmt: skip
    parser.addini("mem_budget", f"size of the fixture budget, such as {BUDGET_DEFAULT}", default=BUDGET_DEFAULT)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Keep how this process was started."""
    remember(early_config)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks, and what the options ask for."""
    for mark, words in HELP.items():
        config.addinivalue_line("markers", f"{mark}: {words}")
    count = config.option.mem_top
    if count:
        from flatwater import limits
        from flatwater.testing.top import Top

        if not 1 <= count <= limits.TESTING_TOP_MAX:
            raise pytest.UsageError(f"--mem-top {count}: a number from 1 to {limits.TESTING_TOP_MAX:,}.")

        config.pluginmanager.register(Top(count), "flatwater-top")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Refuse arguments that make no sense while tests are collected."""
    found = marks_of(metafunc.definition)
    if found:
        from flatwater.testing import marks

        why = marks.trouble_with_arguments(found)
        if why:
            pytest.fail(f"{metafunc.definition.nodeid}: {why}", pytrace=False)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take over the tests that are marked, unless this is the process of a point."""
    if config.pluginmanager.hasplugin(CHILD_PLUGIN):
        return
    for item in items:
        found = marks_of(item)
        if found:
            _mark(config, item, found)


def marks_of(node: pytest.Item) -> dict[str, pytest.Mark]:
    """Our marks by name, the closest to the test of each; empty for almost every test."""
    found: dict[str, pytest.Mark] = {}
    for mark in closest_first(node):
        if mark.name in NAMES:
            found.setdefault(mark.name, mark)
    return found


def closest_first(node: pytest.Item) -> Iterator[pytest.Mark]:
    """All marks; those of one set of parameters before those of the function, which pytest gives first."""
    if (parameters := getattr(node, "callspec", None)) is not None:
        yield from parameters.marks
    yield from node.iter_markers()


def _mark(config: pytest.Config, item: pytest.Item, found: dict[str, pytest.Mark]) -> None:
    from flatwater.testing import marks, verdict

    why = marks.trouble_with(item, found) or marks.trouble_with_arguments(found)
    if why:
        verdict.refuse(item, why)
        return
    assert isinstance(item, pytest.Function), "others are refused"
    verdict.take_over(item, marks.asked_of(found))
    if config.pluginmanager.hasplugin("timeout"):
        # pytest-timeout's bound is for one run of the test, and is kept in each point's process.
        item.add_marker(pytest.mark.timeout(0), append=False)


@pytest.fixture
def budget(request: pytest.FixtureRequest) -> Iterator[Budget]:
    """A budget that is ambient in the test, all of which must be given back: see the mark and ini option mem_budget."""
    from flatwater.testing.lending import lent

    yield from lent(request)


@pytest.fixture(scope="session", name="n")
def number_of_items(pytestconfig: pytest.Config) -> int:
    """The number of items, for a test that is marked mem_constant and for its fixtures."""
    from flatwater.testing import child

    if child.N not in pytestconfig.stash:
        pytest.fail(
            "n is the number of items of a test that is marked mem_constant; no test else has it.", pytrace=False
        )
    pytestconfig.stash[child.N_TAKEN] = True
    return pytestconfig.stash[child.N]
