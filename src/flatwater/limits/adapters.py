"""Bounds of what stands between a web framework and a budget, each with its cost.

Covers:     answers while a service takes nothing in, what each request may reserve, when a worker of a server is replaced.
Not here:   the served database, which has its own (`limits.serving`).
Holds:      numbers.
"""

from __future__ import annotations

WEB_RETRY_AFTER_S = 5  # seconds until a refused client asks again; the ladder's steps take less
WEB_RETRY_AFTER_S_MAX = 3_600  # what may be given for it: an hour
WEB_PATHS_MAX = 64  # paths that are answered in any case; a comparison each for each refused request

RECYCLE_PERIOD_S = 0.25  # between two looks at the memory of a worker of a server; one read of about 20 us each
RECYCLE_SAMPLES = 3  # in a row above the bound before garbage is collected and it is seen again: a spike is no leak
RECYCLE_JITTER = 0.1  # of the bound, taken off at random in each worker, so that they do not all go at once
RECYCLE_JITTER_MAX = 0.5  # what may be given for it: beyond that a bound says nothing
RECYCLE_AGE_S_MIN = 30.0  # that a worker lives at least: a bound that is too low must not replace them without end
RECYCLE_LINGER_S = 2.0  # that a leaving uvicorn waits for requests on connections it holds; as gunicorn's threads do
