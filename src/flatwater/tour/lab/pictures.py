"""Draw an experiment: its figures as bars, beside those of the write-up.

Covers:     which figures of a finding are worth a bar, and what the bars are called.
Not here:   drawing (`proof.charts`).
Holds:      one picture while it is drawn.
"""

from __future__ import annotations

from flatwater.proof import charts
from flatwater.tour.lab.experiment import Spot
from flatwater.tour.lab.finding import Finding, Measured
from flatwater.tour.lab.observing import Moment

WORTH_A_BAR = 0.02  # of the largest: a part of resident memory that is less is not drawn
RESIDENT, TRACED, OWN, SEED, PINNED, KEPT = (
    "RSS",
    "tracemalloc",
    "getsizeof",
    "seed",
    "pinned in arenas",
    "kept by malloc",
)
RESIDENT_COLOUR, TRACED_COLOUR, SEED_COLOUR = "#0072B2", "#7FBFE3", "#E69F00"
KIND_COLOURS = {
    f"peak {RESIDENT}": RESIDENT_COLOUR, RESIDENT: RESIDENT_COLOUR, "grew by": RESIDENT_COLOUR, "left": TRACED_COLOUR,
    TRACED: TRACED_COLOUR, f"each, by {TRACED}": TRACED_COLOUR, OWN: "#C9D2DA", PINNED: "#009E73", KEPT: "#CC79A7",
}  # fmt: skip
Bar = tuple[str, float, str]


def draw(finding: Finding, path: str) -> bool:
    """Write the chart of a finding as PNG; False if it has no figures.

    Raises:
        MissingExtra: matplotlib is not installed.
        BrokenError: the file cannot be written.
    """
    rows = bars_of(finding)
    if not rows:
        return False
    if finding.experiment.rates_chart:
        charts.rates(
            path, finding.experiment.title, rates_of(finding), item=finding.experiment.item, memory="traced peak",
            note=f"{finding.size:,} {finding.experiment.item}, each program in a fresh process",
        )  # fmt: skip
        return True
    kinds = [kind for _label, _size, kind in rows]
    note = f"{finding.size:,} {finding.experiment.item}; above the start of a fresh process"
    charts.bars(
        path,
        finding.experiment.title,
        [(label, size) for label, size, _kind in rows],
        kinds=kinds,
        colours=KIND_COLOURS | {kind: SEED_COLOUR for kind in kinds if kind.startswith(SEED)},
        log=finding.experiment.log_chart,
        note=note,
    )
    return True


def rates_of(finding: Finding) -> list[tuple[str, float, float]]:
    """`(label, traced peak, items a second)` of each variant: the rate is of the run without tracemalloc."""
    return [
        (measured.variant.label, measured.traced.traced_peak, finding.size / measured.plain.wall_s)
        for measured in finding.measured
        if measured.plain is not None and measured.traced is not None and measured.plain.wall_s > 0
    ]


def bars_of(finding: Finding) -> list[Bar]:
    """`(label, bytes, kind)` from top to bottom. The kind of a write-up's figure has its own words: it may count in MB."""
    if finding.is_each:
        return [row for number in range(len(finding.measured)) for row in _each(finding, number)]
    rows: list[Bar] = []
    for measured in finding.measured:
        if measured.plain is None:
            continue
        if not finding.experiment.by_moment:
            rows += _peaks(finding, measured)
            continue
        for seen in measured.plain.moments:
            rows += _moment(finding, measured, measured.at(seen.name) or seen)
    highest = max((size for _label, size, _kind in rows), default=0)
    return [row for row in rows if row[2] not in {PINNED, KEPT} or row[1] >= WORTH_A_BAR * highest]


def _peaks(finding: Finding, measured: Measured) -> list[Bar]:
    assert measured.plain is not None
    label = measured.variant.label
    rows = [(label, measured.plain.peak, f"peak {RESIDENT}")]
    if measured.traced is not None:
        rows.append((label, measured.traced.traced_peak, TRACED))
    if measured.own_bytes >= 0:
        rows.append((label, measured.own_bytes, OWN))
    return [(label, size, kind) for label, size, kind in rows if size >= 0] + _seed(finding, measured, label, "")


def _each(finding: Finding, number: int) -> list[Bar]:
    """Bytes of one item, beside the write-up's."""
    label, seed = finding.measured[number].variant.label, finding.measured[number].seed()
    rows = [(label, finding.value("each", Spot(number)), f"each, by {TRACED}")]
    if seed is not None and not finding.small:
        rows.append((label, finding.value("each", Spot(number, is_seed=True)), f"{SEED}: {seed.words}"))
    return [(label, size, kind) for label, size, kind in rows if size >= 0]


def _moment(finding: Finding, measured: Measured, moment: Moment) -> list[Bar]:
    label = f"{measured.variant.label}: {moment.name}"
    if finding.experiment.parts:
        figures = [(max(0, moment.resident), RESIDENT), (moment.pinned, PINNED), (moment.kept, KEPT)]
    elif finding.experiment.traced:
        figures = [(max(0, moment.resident), RESIDENT), (moment.traced, TRACED)]
    else:
        figures = [(moment.peak, "grew by"), (max(0, moment.resident), "left")]
    return [(label, size, kind) for size, kind in figures if size >= 0] + _seed(finding, measured, label, moment.name)


def _seed(finding: Finding, measured: Measured, label: str, moment: str) -> list[Bar]:
    figure = measured.seed(moment)
    if finding.small or figure is None or figure.bytes < 0:
        return []
    return [(label, figure.bytes, f"{SEED}: {figure.words}")]
