"""A Dask cluster that stages can run on: one that is there, or processes of this machine, started for a run.

Covers:     what `on` means, connecting, starting, versions that differ, no workers.
Not here:   what is run there (`pipeline.on_dask`).
Holds:      a client; a scheduler too, where it was started here.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, Self, final

from flatwater import errors, limits
from flatwater.pipeline.away import count_of_stages
from flatwater.pipeline.stages import Stage

_CONNECT_S = 10.0
_OPTIONS: Final = {"set_as_default": False, "timeout": _CONNECT_S}
_WHAT: Final = 'Give "dask" for the current client or for processes of this machine, a distributed.Client, or an address: "tcp://...".'


def checked(on: Any, stages: Sequence[Stage]) -> int:
    """How many stages of a flow go there.

    Raises:
        UsageError: `on` names no cluster; no stage can go there.
    """
    if not isinstance(on, str) and type(on).__name__ != "Client":
        raise errors.UsageError(f"on={on!r:.80} is no cluster.", hint=_WHAT)
    if isinstance(on, str) and on != "dask" and "://" not in on:
        raise errors.UsageError(f"on={on!r:.80} is not known.", hint=_WHAT)
    count = count_of_stages(stages)
    if not count:
        first = stages[0].name if stages else "nothing"
        raise errors.UsageError(
            f"no stage of the flow can run on Dask: it begins with {first}.",
            hint="map, filter, flat_map, each, tap and pmap of threads can, up to the first stage that needs items in their order.",
        )
    return count


def refuse_missing() -> None:
    """Raises MissingExtra, before anything is read, where Dask is not installed."""
    if importlib.util.find_spec("distributed") is None:
        raise errors.MissingExtra("dask", "distributed")


@final
class Cluster:
    """A client that is connected. A context manager: what it has started itself, it stops.

    Raises:
        UsageError: the client is closed or asynchronous; versions differ between here and the workers.
        BrokenError: the cluster cannot be reached or started.
        LimitReached: it has no worker.
    """

    def __init__(self, on: Any) -> None:
        self._owned = contextlib.ExitStack()
        try:
            self.client = self._connected(on)
            self.slots = self._slots()
            self._refuse_other_versions()
        except BaseException:
            self._owned.close()
            raise
        self.address = str(self.client.scheduler.address)

    def _connected(self, on: Any) -> Any:
        import distributed as untyped

        distributed: Any = untyped
        if isinstance(on, str):
            if on != "dask":
                return self._opened(
                    lambda: distributed.Client(on, **_OPTIONS), f"the cluster {on}", "Is its scheduler there?"
                )
            try:
                on = distributed.get_client()
            except ValueError:
                return self._started()
        if not isinstance(on, distributed.Client):
            raise errors.UsageError(f"on={on!r:.80} is no cluster.", hint=_WHAT)
        if on.asynchronous:
            raise errors.UsageError("the client is asynchronous.", hint="Give its address instead, or a plain Client.")
        if on.status != "running":
            raise errors.UsageError(f"the client is {on.status}.", hint="Connect it first.")
        return on

    def _started(self) -> Any:
        """Processes of this machine, which nobody else reaches."""
        import dask
        import distributed as untyped

        distributed: Any = untyped
        quiet: dict[str, list[str]] = {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
        with dask.config.set(quiet):
            cluster = self._opened(
                lambda: distributed.LocalCluster(
                    host="127.0.0.1", processes=True, threads_per_worker=1, dashboard_address="127.0.0.1:0",
                    scheduler_kwargs={"dashboard": False}, silence_logs=logging.CRITICAL,  # what goes wrong is an error here
                ),
                "a cluster of processes",
                "A program that starts processes begins below `if __name__ == '__main__':`.",
            )  # fmt: skip
        return self._opened(lambda: distributed.Client(cluster, **_OPTIONS), "a client of it", "Run the flow again.")

    def _opened(self, make: Callable[[], Any], what: str, hint: str) -> Any:
        try:
            return self._owned.enter_context(make())
        except (OSError, RuntimeError, TimeoutError, ValueError) as error:
            raise errors.BrokenError(f"{what} cannot be had: {str(error).rstrip('.')}.", hint=hint) from error

    def _slots(self) -> int:
        """Threads of all workers, at least one of which is there."""
        try:
            self.client.wait_for_workers(1, timeout=limits.FLOW_DASK_WAIT_S)
        except TimeoutError:
            raise no_worker() from None
        return max(1, sum(map(int, self.client.nthreads().values())))

    def _refuse_other_versions(self) -> None:
        """Functions cannot be sent to another Python, nor can tasks to another Flatwater."""

        def versions() -> tuple[str, str]:  # it goes by value: a worker that has no flatwater can run it
            import importlib
            import sys

            try:
                found = str(importlib.import_module("flatwater").__version__)
            except ImportError:
                found = "none"
            return f"{sys.version_info[0]}.{sys.version_info[1]}", found

        here = versions()
        pythons = self.client.get_versions()["workers"]
        for address, told in pythons.items():
            there = str((told or {}).get("host", {}).get("python", "")).split(".")
            if there[:2] != here[0].split("."):
                raise _other_version(address, "Python", ".".join(there[:2]), here[0])
        for address, (_python, flatwater) in self.client.run(versions, on_error="ignore").items():
            if flatwater != here[1]:
                raise _other_version(address, "flatwater", flatwater, here[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._owned.close()


def no_worker() -> errors.LimitReached:
    """An error for a cluster that has none."""
    return errors.LimitReached(
        f"the cluster has had no worker for {limits.FLOW_DASK_WAIT_S:.0f} s.",
        what="FLOW_DASK_WAIT_S", limit=limits.FLOW_DASK_WAIT_S, hint="Start workers, and run the flow again.",
    )  # fmt: skip


def _other_version(address: str, what: str, there: str, here: str) -> errors.UsageError:
    return errors.UsageError(
        f"the worker {address} has {what} {there}, and here it is {here}.", hint="Install the same on both sides."
    )
