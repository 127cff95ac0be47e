"""Run experiments: each program in a fresh process of its own, one after the other, under a memory limit and a time-out.

Covers:     what to run, skipping what this machine has no memory or no library for, agreeing on the answer, telling what failed.
Not here:   what happens inside the process (`tour.lab.observing`), inputs (`tour.lab.inputs`), judging (`tour.lab.finding`).
Holds:      figures; the largest program holds `Experiment.needs_bytes`, and never two run at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

from flatwater import errors, limits, units, worker
from flatwater.tour.lab import registry
from flatwater.tour.lab.experiment import Experiment, Variant
from flatwater.tour.lab.finding import Finding, Measured
from flatwater.tour.lab.inputs import Inputs
from flatwater.tour.lab.observing import Observation, observe
from flatwater.tour.step import is_installed

LAB_TIMEOUT_S = limits.LAB_TIMEOUT_S


def run_lab(
    names: Sequence[str] = (), *, small: bool = False, on_step: Callable[[str], None] | None = None
) -> Generator[Finding, None, None]:
    """Run the experiments in their order, and give each finding as soon as it is there.

    Args:
        names: of the experiments; all of them if there is none.
        small: a small part of the sizes, a hundredth as a rule. The write-ups' figures are then not comparable.
        on_step: is told what runs now, before it does.

    Raises:
        UsageError: there is no such experiment.

    Bounded: one program at a time, under a limit of its `needs_bytes`; at most 2.5 GiB. For one thread.

    >>> [finding.state for finding in run_lab(["files"], small=True)]
    ['held']
    """
    experiments = registry.find(names)  # before the first one runs for a minute
    return _run_all(experiments, small=small, on_step=on_step or (lambda _step: None))


def _run_all(
    experiments: Sequence[Experiment], *, small: bool, on_step: Callable[[str], None]
) -> Generator[Finding, None, None]:
    with Inputs() as inputs:
        for experiment in experiments:
            yield run_experiment(experiment, inputs, small=small, on_step=on_step)


def run_experiment(
    experiment: Experiment, inputs: Inputs, *, small: bool = False, on_step: Callable[[str], None] = lambda _step: None
) -> Finding:
    """Run one experiment; what goes wrong is in the finding, not raised."""
    size = experiment.size // experiment.small_part if small else experiment.size
    needs_bytes = experiment.small_needs_bytes if small else experiment.needs_bytes
    finding = Finding(experiment, size, small)
    if experiment.needs_extra and not is_installed(experiment.needs_extra[1]):
        return replace(finding, skipped=str(errors.MissingExtra(*experiment.needs_extra)))
    room_bytes, whose = room()
    if 0 <= room_bytes < needs_bytes:
        words = f"it needs {units.format_bytes(needs_bytes)} of memory, and {units.format_bytes(room_bytes)} are left"
        return replace(finding, skipped=f"{words} ({whose})")
    began_s = time.monotonic()
    measured: list[Measured] = []
    failure = ""
    for variant in experiment.variants:
        on_step(f"{experiment.name}: {variant.label}")
        try:
            args = inputs.fill(variant.args, size)
        except errors.BrokenError as error:
            failure = str(error)
            break
        measured.append(_measure(experiment, variant, args, needs_bytes, on_step))
    answers = {one.plain.answer for one in measured if one.plain}
    if len(answers) > 1:
        failure = f"the programs do not do the same work: they answered {', '.join(map(str, sorted(answers, key=str)))}"
    return replace(finding, measured=tuple(measured), failure=failure, wall_s=time.monotonic() - began_s)


def _measure(
    experiment: Experiment,
    variant: Variant,
    args: Sequence[object],
    limit_bytes: int,
    on_step: Callable[[str], None],
) -> Measured:
    try:
        plain = _run(variant, args, limit_bytes, parts=experiment.parts)
        observation: Observation = plain.value
        done = Measured(variant, observation, None, plain.start_rss, plain.limit_kind)
        if not experiment.traced:
            return done
        on_step(f"{experiment.name}: {variant.label}, under tracemalloc")
        traced = _run(variant, args, limit_bytes, traced=True, until=experiment.traced_until)
        return replace(done, traced=traced.value)
    except errors.FlatwaterError as error:
        return Measured(variant, failure=str(error))
    except Exception as error:  # noqa: BLE001 - whatever a program raises is its failure
        return Measured(variant, failure=f"{type(error).__name__}: {error}")


def _run(variant: Variant, args: Sequence[object], limit_bytes: int, **options: object) -> worker.Outcome:
    return worker.run(
        observe, (variant.program, tuple(args)), options, limit=limit_bytes, timeout=LAB_TIMEOUT_S,
        result_bytes_max=units.MIB,
    )  # fmt: skip


def room() -> tuple[int, str]:
    """`(bytes, whose)`: what a process started now may take, and who says so; -1 if nobody does."""
    import psutil

    from flatwater.watch.sight import Group

    found = [(int(psutil.virtual_memory().available), "available on this machine")]
    group = Group.of_this_process()
    if group is not None:
        used, limit = group.read()
        if limit >= 0:
            found.append((limit - used, f"in the control group {group.directory}"))
    try:
        import resource
    except ImportError:
        return min(found)
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    found += [(limit, "by RLIMIT_DATA") for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    return min(found)
