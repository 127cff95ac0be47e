"""Another ingestion of a folder that has been ingested: nothing changed, or a sentence was added to one document in a hundred.

Contestants read the documents to see that they are the same, or trust size and time, as each does by itself; what is embedded
tells what was found to be new. CocoIndex remembers by documents, as its guide has it. LangChain splits all documents again.
LlamaIndex, which also reads back and writes all that it has stored, takes longer than a round may.
"""

from __future__ import annotations

from functools import partial

from benchmarks.case import Bar, Case
from benchmarks.ingest.peers import COCOINDEX, FIGURES, FULL, LANGCHAIN, OURS, again, cpu_share

CHANGED = ", 1 % changed"

case = Case(
    "A folder of real texts, 64 MB, once more: nothing changed, and a sentence was added to one document in a hundred.",
    size=64_000_000, tiny=60_000, commands=True, figures=FIGURES,
    bars=(
        Bar("nothing changed: at most 1/4 of CocoIndex's CPU", 1 / 4, "x", cpu_share(OURS.name, COCOINDEX.name)),
        Bar("with full text, too", 1 / 4, "x", cpu_share(FULL.name, COCOINDEX.name)),
    ),
)  # fmt: skip

for each, changed in (
    (OURS, False), (FULL, False), (COCOINDEX, False), (LANGCHAIN, False), (OURS, True), (FULL, True), (COCOINDEX, True)
):  # fmt: skip
    name = each.name + CHANGED * changed
    case.contestant(name, needs=each.needs, rounds_max=each.rounds_max)(partial(again, each, changed=changed))
