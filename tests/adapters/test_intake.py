"""adapters.intake: who is taken in, and what is told."""

from __future__ import annotations

import gc
import json
import os
import sys

import pytest

import flatwater as fw
from flatwater import errors, limits
from flatwater.adapters import asgi, wsgi
from flatwater.adapters.intake import HOLDER, Answer, Intake

DEADLINE_S = 30


def headers(answer):
    return dict(answer.headers)


def test_an_open_gate_lets_everybody_in(intake):
    """And counts them."""
    assert intake.take("/orders") is None
    assert (intake.taken, intake.refused) == (1, 0)


def test_a_closed_gate_is_503_with_retry_after(intake):
    """Until it is open again."""
    intake.budget.gate.pause("memory is critical")
    answer = intake.take("/orders")
    assert isinstance(answer, Answer)
    assert (answer.status, headers(answer)["Retry-After"]) == (503, str(limits.WEB_RETRY_AFTER_S))
    intake.budget.gate.resume()
    assert intake.take("/orders") is None
    assert (intake.taken, intake.refused) == (1, 1)


def test_some_paths_are_always_handed_on(intake):
    """Those that were named, and those below one that ends in a slash; no others that begin like them."""
    intake.budget.gate.pause("memory is critical")
    assert [intake.take(path) is None for path in ("/live", "/static/a.css", "/lively", "/static")] == [
        True,
        True,
        False,
        False,
    ]


def test_requests_reserve_their_bytes():
    """As many as fit; the next is refused, and there is room again when one has ended."""
    made = Intake(fw.Budget("1 MiB"), reserve="400 KiB")
    try:
        first, second = made.take("/"), made.take("/")
        assert isinstance(made.take("/"), Answer)
        assert {name: now for name, now, _ in made.budget.holders()}[HOLDER] == 2 * 400 * 1024
        first.release()
        third = made.take("/")
        assert not isinstance(third, Answer)
        second.release()
        third.release()
        assert made.budget.held == 0
    finally:
        made.stop()


def test_health_is_503_while_nothing_is_taken_in(intake):
    """With the figures, as JSON that has no infinity."""
    answer = intake.page("/health")
    told = json.loads(answer.body, parse_constant=pytest.fail)
    assert (answer.status, told["status"], told["taking_requests"]) == (200, "ok", True)
    assert told["memory"]["limit_bytes"] == 1 << 30
    intake.budget.gate.pause("memory is critical")
    closed = intake.page("/health")
    assert (closed.status, "Retry-After" in headers(closed)) == (503, True)


def test_health_has_the_pools_of_builders(intake):
    """As `fw.pool_stats()` counts them, in all; only with the token, where there is one."""
    create = fw.builder(["number"], pooled=True).create
    for number in range(3):
        create().with_number(number).build()
    told = json.loads(intake.page("/health").body)["pools"]
    now = fw.pool_stats()
    assert told == {
        name: getattr(now, name) for name in ("pools", "objects", "bytes", "created", "reused", "discarded")
    }
    assert told["objects"] >= 1
    assert told["reused"] >= 2
    made = Intake("1 GiB", token="s3cret")
    try:
        assert "pools" not in json.loads(made.page("/health").body)
        assert "pools" in json.loads(made.page("/health", "Bearer s3cret").body)
    finally:
        made.stop()


def test_figures_for_prometheus(intake):
    """Gauges and counters, in its form."""
    intake.take("/")
    text = intake.page("/metrics").body.decode()
    assert "flatwater_requests_taken_total 1.0" in text
    assert "flatwater_gate_open 1.0" in text
    (limit,) = [line.split()[1] for line in text.splitlines() if line.startswith("flatwater_budget_limit_bytes ")]
    assert float(limit) == 1 << 30


def test_figures_want_the_token():
    """Without it health says no more than whether requests are taken, and figures are not told."""
    made = Intake("1 GiB", metrics="/metrics", token="s3cret")
    try:
        assert set(json.loads(made.page("/health").body)) == {"status", "taking_requests"}
        assert made.page("/metrics").status == 401
        assert made.page("/metrics", "Bearer wrong").status == 401
        assert made.page("/metrics", "Bearer s3cr\u00e9t").status == 401
        assert made.page("/metrics", "bearer s3cret").status == 200
        assert "memory" in json.loads(made.page("/health", "Bearer s3cret").body)
    finally:
        made.stop()


def test_pages_can_be_left_out():
    """An empty path is nobody's."""
    made = Intake("1 GiB", health="", metrics="")
    assert [made.page(path) for path in ("/health", "/metrics", "")] == [None, None, None]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"retry_after_s": 0}, "whole seconds"),
        ({"retry_after_s": 10**6}, "whole seconds"),
        ({"retry_after_s": 2.5}, "whole seconds"),
        ({"health": "health"}, "does not begin"),
        ({"always": ["live"]}, "does not begin"),
        ({"reserve": "many"}, "reserve"),
        ({"reserve": "1025 MiB"}, "none could be answered"),
        ({"retry_after_s": True}, "whole seconds"),
        ({"metrics": "/health"}, "same path"),
        ({"metrics": True}, "metrics: True is no path"),
        ({"always": 3}, "no list of paths"),
        ({"token": ""}, "open to everybody"),
        ({"token": "\u00e9"}, "cannot carry"),
        ({"watcher": 3}, "is no fw.Watcher"),
    ],
)
def test_what_cannot_be_is_refused(given, words):
    """When it is made, with what to do."""
    with pytest.raises(errors.UsageError, match=words) as raised:
        Intake("1 GiB", **given)
    assert raised.value.hint or "reserve" in words


def test_a_size_that_cannot_be_is_named_as_it_was_given():
    """By its argument."""
    with pytest.raises(errors.UsageError, match="budget: 'a lot' is not a size"):
        Intake("a lot")


def test_a_watcher_without_a_budget_has_no_gate():
    """So it is refused."""
    with pytest.raises(errors.UsageError, match="no gate"):
        Intake(watcher=fw.Watcher("1 GiB"))


def test_a_budget_and_a_watcher_are_one_too_many():
    """The watcher has a budget; two of them could differ."""
    with pytest.raises(errors.UsageError, match="both given") as raised:
        Intake("1 GiB", watcher=fw.Watcher(fw.Budget("1 GiB")))
    assert "Leave budget= out" in raised.value.hint


def test_a_reserve_fits_at_least_once():
    """All of the budget is one request at a time; more would be 503 for ever, whoever made the budget."""
    made = Intake(fw.Budget("1 MiB"), reserve="1 MiB")
    try:
        first = made.take("/")
        assert isinstance(made.take("/"), Answer)
        first.release()
        made.take("/").release()
    finally:
        made.stop()
    for given in ({"budget": fw.Budget("1 MiB")}, {"watcher": fw.Watcher(fw.Budget("1 MiB"))}):
        with pytest.raises(errors.UsageError, match=r"2.0 MiB from a budget of 1.0 MiB"):
            Intake(reserve="2 MiB", **given)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_reserve_is_compared_with_what_the_worker_may_have(monkeypatch):
    """A budget that is found in the worker may be smaller than the one before the fork; it says so each time."""
    found = iter(["64 MiB", "1 MiB", "1 MiB"])
    monkeypatch.setattr(fw.Budget, "detect", classmethod(lambda cls: cls(next(found))))
    made = Intake(reserve="2 MiB")

    def twice():
        for _ in range(2):
            with pytest.raises(errors.UsageError, match="none could be answered"):
                made.take("/")
        return "twice"

    assert in_a_fork(twice) == "'twice'"


def test_one_path_stands_for_a_list_of_one():
    """In `always`, where a list is easily forgotten."""
    made = Intake("1 GiB", always="/live")
    try:
        made.budget.gate.pause("memory is critical")
        assert made.take("/live") is None
        assert isinstance(made.take("/l"), Answer)
    finally:
        made.stop()


def test_a_watcher_that_was_not_started_is_started():
    """With the first request; it is stopped by whom it belongs to."""
    with fw.Watcher(fw.Budget("1 GiB")) as running:
        made = Intake(watcher=running)
        assert (made.take("/"), made.watcher) == (None, running)
    watcher = fw.Watcher(fw.Budget("1 GiB"))
    made = Intake(watcher=watcher)
    try:
        assert not watcher.is_watching
        assert made.take("/") is None
        assert watcher.is_watching
        assert json.loads(made.page("/health").body)["status"] == "ok"
        made.stop()
        assert watcher.is_watching
    finally:
        watcher.stop()


def test_a_service_that_nobody_has_any_more_is_not_watched():
    """Tests make one for each of their cases, and stop none; a watcher that was given goes on."""
    made = Intake("1 GiB")
    watcher = made.start()
    thread = watcher._thread
    del made
    gc.collect()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()
    with fw.Watcher(fw.Budget("1 GiB")) as given:
        made = Intake(watcher=given)
        made.start()
        del made
        gc.collect()
        assert given.is_watching


def test_figures_without_their_package_are_refused_where_they_are_asked_for(monkeypatch):
    """Not with each request of Prometheus."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(errors.MissingExtra, match="web"):
        Intake("1 GiB", metrics="/metrics")


def test_a_watcher_that_was_stopped_is_no_good_health(caplog):
    """Requests are answered all the same; it is said once, and in the pages."""
    with fw.Watcher(fw.Budget("1 GiB")) as watcher:
        made = Intake(watcher=watcher, metrics="/metrics")
        assert json.loads(made.page("/health").body)["status"] == "ok"
        assert "flatwater_healthy 1.0" in made.page("/metrics").body.decode()
    assert made.take("/") is None
    told = made.page("/health")
    assert (told.status, json.loads(told.body)["status"]) == (200, "unwatched")
    assert "flatwater_healthy 0.0" in made.page("/metrics").body.decode()
    assert [record.message for record in caplog.records if "nobody watches" in record.message] == [
        "the watcher of this service was stopped: nobody watches its memory from here on"
    ]


@pytest.mark.parametrize("middleware", [asgi.PressureMiddleware, wsgi.PressureMiddleware])
def test_a_middleware_has_an_intake_or_makes_one(intake, middleware):
    """Arguments beside one that is made would change nothing."""
    assert middleware(None, intake=intake).intake is intake
    assert middleware(None, budget="2 GiB").intake.budget.limit == 2 << 30
    with pytest.raises(errors.UsageError, match="token beside it"):
        middleware(None, intake=intake, token="s3cret")
    with pytest.raises(errors.UsageError, match="no Intake"):
        middleware(None, intake="1 GiB")


def test_settings_are_its_arguments():
    """By name; others are told beside those that there are."""
    made = Intake.of_settings({"budget": "1 GiB", "health": "/healthz"})
    assert (made.budget.limit, made.health_path) == (1 << 30, "/healthz")
    with pytest.raises(errors.UsageError, match=r"'budgt'.*budget, watcher, reserve"):
        Intake.of_settings({"budgt": "1 GiB"})


def test_too_many_paths():
    """Each is compared with each refused request."""
    with pytest.raises(errors.LimitReached):
        Intake("1 GiB", always=[f"/{n}" for n in range(limits.WEB_PATHS_MAX + 1)])


def in_a_fork(work):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(write, repr(work()).encode())
        except BaseException as error:
            os.write(write, type(error).__name__.encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(pid, 0)
    with open(read, "rb") as file:
        return file.read().decode()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_worker_watches_itself(intake):
    """With a budget of its own, of the same size."""
    assert intake.take("/") is None
    before = intake.budget
    assert (
        in_a_fork(lambda: (intake.take("/"), intake.budget is before, intake.budget.limit))
        == f"(None, False, {1 << 30})"
    )


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_budget_of_another_process_is_refused():
    """A worker cannot go on with what was promised before it was forked."""
    made = Intake(fw.Budget("1 GiB"))
    try:
        assert in_a_fork(lambda: made.take("/")) == "ClosedError"
    finally:
        made.stop()


def test_a_critical_service_asks_for_more_patience():
    """Twice as many seconds."""
    sizes = iter([10 << 20] * 2 + [99 << 20] * 400)
    watcher = fw.Watcher(
        fw.Budget("100 MiB"),
        sample=lambda: (next(sizes, 99 << 20),) * 2,
        collect=lambda: 0,
        trim=lambda: 0,
        clock=iter(range(10**6)).__next__,
    )
    made = Intake(watcher=watcher, retry_after_s=7)
    assert made.wait_s() == 7
    for _ in range(10):
        watcher.tick()
    assert watcher.level == "critical"
    assert made.wait_s() == 14
