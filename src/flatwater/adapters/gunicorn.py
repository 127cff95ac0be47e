"""A hook for gunicorn: a worker that finishes its requests and is replaced when its memory stays above a bound.

Covers:     `post_worker_init` for workers of kind sync, gthread, gevent, and of uvicorn.
Not here:   when to leave (`adapters.recycling`), uvicorn alone (`adapters.uvicorn`).
Holds:      a thread in each worker.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any, Protocol

from flatwater.adapters import uvicorn
from flatwater.adapters.recycling import Recycler


class Worker(Protocol):
    """What is asked of gunicorn's."""

    log: Any


def recycle_above(above: str | int, **given: Any) -> Callable[[Worker], None]:
    """A `post_worker_init` that has a worker replaced when its memory stays above so much.

    The worker is sent SIGTERM by itself, which is gunicorn's own way to have it leave: it takes no more connections and ends when its requests are answered; the master, which
    holds the listening socket, starts another one. Of what `graceful_timeout` means there, gthread keeps to it, sync waits for its one request. A worker of uvicorn leaves as
    `flatwater.adapters.uvicorn.leave` says.

    Args:
        above: the bound of each worker, as a size.
        given: `jitter` and `age_s_min` of `flatwater.adapters.recycling.Recycler`.

    Raises:
        UsageError: as `Recycler` does; where gunicorn reads its configuration.

    # gunicorn.conf.py
    from flatwater.adapters.gunicorn import recycle_above
    post_worker_init = recycle_above("400 MiB")
    """
    Recycler(above, _leave, **given)  # what cannot be is said before any worker is forked

    def post_worker_init(worker: Worker) -> None:
        Recycler(above, _leave, **{"tell": worker.log.warning, **given}).start()

    return post_worker_init


def _leave(_why: str) -> None:
    server = uvicorn.serving()
    if server is not None:
        uvicorn.leave(server)
    else:
        os.kill(os.getpid(), signal.SIGTERM)
