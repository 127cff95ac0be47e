"""Jobs of examples/: each stays inside the budget that it states, and does what it says; a twin that collects everything does not."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SAID = {  # the last words of each, beside what its numbers must be
    "export_table": r"^300,000 rows, [\d.]+ MiB of Parquet$",
    "logs_to_report": r"^400,000 lines of 50,000 users at most$",
    "search_folder": r"^400 pages, then 1 changed\nfound in page00007\.md: .*zebra mussel clogs the intake\.'$",
    "backup_folder": r"^3,000 copied, then 1 copied and 1 deleted$",
    "live_prices": r"^400 changes followed, \d+ of them into the cheap ones; the last prices agree$",
    "web_service": r"^[\d,]+ answered, \d+ told to come later; the cache was given back [1-9]\d* times$",
    "cleaned_up": r"^kind0  47\.50\nkind1  48\.50\nkind2  49\.50\nkind3  50\.50\nkind4  51\.50$",
}
KILLED = {137, 1}  # by the kernel's limit, or by Python's own MemoryError below RLIMIT_DATA

# The same work, as it is often written.
TWINS = {
    "export_table": """
import export_table, pandas, sqlite3, sys, tempfile
with tempfile.TemporaryDirectory() as folder:
    from pathlib import Path
    path = Path(folder, "shop.db")
    export_table.make(path, 300_000)
    rows = [dict(zip(("id", "customer", "cents", "note"), row)) for row in sqlite3.connect(path).execute("SELECT * FROM orders").fetchall()]
    import pyarrow, pyarrow.parquet
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), Path(folder, "orders.parquet"))
""".replace(", pandas", ""),
    "logs_to_report": """
import logs_to_report, tempfile
from pathlib import Path
with tempfile.TemporaryDirectory() as folder:
    log = Path(folder, "access.log")
    logs_to_report.make(log, 400_000)
    by_user = {}
    for line in log.read_text().splitlines():
        by_user.setdefault(line.split(" ", 2)[1], []).append(line)
""",
    "cleaned_up": "import cleaned_up; cleaned_up.main(300_000, 'hungry')",
    "web_service": "import web_service; web_service.app.user_middleware.clear(); web_service.main(8_000)",
}


def budget(name):
    (stated,) = re.findall(r"^Budget: (.+)$", (EXAMPLES / f"{name}.py").read_text("utf-8"), re.MULTILINE)
    return stated.replace(" ", "")


def run(size, *words):
    command = [sys.executable, "-m", "flatwater", "run", "--budget", size, "--", sys.executable, *words]
    return subprocess.run(command, cwd=EXAMPLES, capture_output=True, text=True, timeout=100, check=False)


def test_all_are_tried():
    """None is forgotten, here or in the list."""
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    assert names == set(SAID)
    page = (EXAMPLES / "README.md").read_text("utf-8")
    assert {
        name: size.replace(" ", "") for name, size in re.findall(r"\| \[(\w+)\.py\]\(\w+\.py\) \| ([^|]+?) \|", page)
    } == {name: budget(name) for name in names}


@pytest.mark.parametrize("name", SAID)
def test_it_stays_inside_what_it_states(name):
    """Below a limit that the kernel keeps, and with the right result."""
    done = run(budget(name), f"{name}.py")
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.search(SAID[name], done.stdout.strip(), re.MULTILINE | re.DOTALL), done.stdout
    assert f"stayed inside {budget(name)[:-3]}" in done.stderr


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_that_collects_everything_does_not(name):
    """The same limit ends it."""
    done = run(budget(name), "-c", TWINS[name])
    assert done.returncode in KILLED, done.stdout + done.stderr[-2000:]
    assert "killed by the budget" in done.stderr or "MemoryError" in done.stderr
