"""testing.start: the process of a point starts as the session did."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys

from flatwater.testing import start


def test_it_starts_as_it_was_asked(tmp_path):
    """Path, environment, directory and arguments are those of the request; the folder's name stands in our own arguments."""
    (tmp_path / "there").mkdir()
    (tmp_path / "pytest.py").write_text(
        "import os, sys, json\nprint(json.dumps([sys.argv[1:], sys.path, dict(os.environ), os.getcwd(), __name__]))\n"
    )
    request = {
        "path": [os.fspath(tmp_path), *sys.path],
        "environment": {"ONE": "1"},
        "directory": os.fspath(tmp_path / "there"),
        "typed": ["-k", "one"],
        "ours": ["-p", f"{start.FOLDER_PLACE}/own"],
        "paths": ["--", "tests"],
    }
    (tmp_path / "request").write_bytes(pickle.dumps(request))
    command = [sys.executable, "-P", start.__file__, os.fspath(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "TWO": "2"})
    words, path, environment, directory, name = json.loads(done.stdout)
    assert words == ["-k", "one", "-p", f"{tmp_path}/own", "--", "tests"]
    assert path == request["path"]
    assert environment["ONE"] == "1"
    assert "TWO" not in environment
    assert environment[start.POINT_VARIABLE] == os.fspath(tmp_path)
    assert directory == request["directory"]
    assert name == "__main__"


def test_it_imports_nothing_of_flatwater():
    """pytest would warn of modules that it can no longer rewrite."""
    code = f"import sys, runpy; runpy.run_path({start.__file__!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not [name for name in done.stdout.split() if name.startswith(("flatwater", "pytest", "_pytest"))]
