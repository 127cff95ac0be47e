"""The pages of services and of production: their code runs, their lists are those of the code."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flatwater.adapters.intake import Intake

DOCS = Path(__file__).parent.parent.parent / "docs"
SITE = """
import django
from django.conf import settings
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], MIDDLEWARE=MIDDLEWARE, FLATWATER=FLATWATER)
django.setup()
from django.test import Client
urlpatterns = []
client = Client()
print([client.get("/health").status_code, client.get("/metrics").status_code,
       client.get("/metrics", headers={"Authorization": "Bearer s3cret"}).status_code])
"""


def blocks():
    """`(name, code)` of each block of the two pages that says it runs."""
    found = []
    for page in ("web.md", "production.md"):
        text = (DOCS / page).read_text("utf-8")
        found += re.findall(r"```python\n# runs: (.*?)\n(.*?)```", text, re.DOTALL)
    assert len(found) == 7
    return found


def run(code):
    """A block in a process of its own, since some watch theirs to its end."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, timeout=90, check=False, env={**os.environ, "METRICS_TOKEN": "s3cret"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("name", "code"), blocks(), ids=[name for name, _ in blocks()])
def test_the_code_runs(name, code):
    """Each block as it is copied; settings in a site that serves health to all, and figures by token."""
    needs = {"asgi": "starlette", "settings.py of django": "django", "shop.py": "fastapi"}.get(name, name)
    if needs in {"starlette", "django", "flask", "fastapi"} and importlib.util.find_spec(needs) is None:
        pytest.skip(f"{needs} is not installed")
    if name == "settings.py of django":
        assert run(code + SITE).strip() == "[200, 401, 200]"
    else:
        run(code)


def test_all_arguments_are_listed():
    """Each has its row, and there are no others."""
    table = (DOCS / "web.md").read_text("utf-8").split("| argument | default |")[1].split("\n\n")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == sorted(Intake.names())


def test_all_figures_are_listed():
    """Each family that is served, and no other; what health answers is named, too."""
    text = (DOCS / "web.md").read_text("utf-8").split("## Health and figures")[1].split("\n## ")[0]
    made = Intake("1 GiB", metrics="/metrics")
    try:
        served = made.page("/metrics").body.decode()
        told = json.loads(made.page("/health").body)
    finally:
        made.stop()
    families = set(re.findall(r"^(flatwater_\w+) ", served, re.MULTILINE)) - {"flatwater_seconds_to_limit"}
    families = {name for name in families if not name.endswith("_created")}
    assert set(re.findall(r"`(flatwater_\w+)`", text)) - {"flatwater_seconds_to_limit"} == families
    assert "`fw.pool_stats()`" in text
    assert {"status", "taking_requests", "pools"} <= set(told)
