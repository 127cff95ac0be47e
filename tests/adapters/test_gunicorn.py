"""adapters.gunicorn: real workers that leak are replaced, and no request is lost."""

from __future__ import annotations

import sys

import pytest

from flatwater import errors
from flatwater.adapters.gunicorn import recycle_above

sys.path.insert(0, __file__.rpartition("/")[0])
import crowd

pytest.importorskip("gunicorn")
KINDS = {
    "sync": ["--worker-class", "sync", "leaking_service:wsgi"],
    "gthread": ["--worker-class", "gthread", "--threads", "3", "leaking_service:wsgi"],
    "uvicorn": ["--worker-class", "uvicorn_worker.UvicornWorker", "leaking_service:plain"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_leaking_workers_are_replaced_and_no_request_is_lost(tmp_path, kind):
    """Two workers at a time; the log says why each of the others left."""
    settings = tmp_path / "gunicorn.conf.py"
    settings.write_text(
        'from flatwater.adapters.gunicorn import recycle_above\npost_worker_init = recycle_above("60 MiB", age_s_min=0.3)\n'
    )
    port, log = crowd.free_port(), tmp_path / "log"
    with crowd.serving(
        port, "gunicorn", "-c", str(settings), "-w", "2", "-b", f"127.0.0.1:{port}", *KINDS[kind], log=log
    ):
        pids, failures = crowd.until_replaced(port, 4)
    assert failures == []
    assert len(pids) >= 4
    assert log.read_text().count("finishes its requests and is replaced: it holds ") >= 2


def test_what_cannot_be_is_said_where_the_settings_are_read():
    """Before a worker is forked."""
    with pytest.raises(errors.UsageError):
        recycle_above("a lot")
