"""What ingesting all PDFs below a folder will take, from a sample of them: time, disk, memory.

python ingest_pdfs.py FOLDER [SECONDS]
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

import flatwater as fw

BUDGET = "256 MiB"
FILES_AT_ONCE = 20


def main() -> None:
    """Ingest files in an order of chance until the time is over, and multiply."""
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 20.0
    paths = sorted(Path(sys.argv[1]).rglob("*.pdf"))
    random.Random(1).shuffle(paths)  # noqa: S311 - for a sample
    total = sum(path.stat().st_size for path in paths)
    with tempfile.TemporaryDirectory() as folder, fw.Budget(BUDGET) as budget:
        begun_s, done, text, chunks, problems = time.monotonic(), 0, 0, 0, 0
        with fw.Corpus(Path(folder, "sample")) as corpus, fw.measure("sample") as reading:
            for at in range(0, len(paths), FILES_AT_ONCE):
                group = paths[at : at + FILES_AT_ONCE]
                report = corpus.ingest(group)
                done += sum(path.stat().st_size for path in group)
                text, chunks, problems = (
                    text + report.text_bytes, chunks + report.chunks, problems + report.problem_count
                )  # fmt: skip
                if time.monotonic() - begun_s > seconds:
                    break
            took_s = time.monotonic() - begun_s
        disk = corpus.stats()["file_bytes"]
        share = total / done
        print(
            f"sample  {done / 1e6:.1f} MB of PDFs in {took_s:.1f} s: {text / 1e6:.1f} MB of text, {chunks:,} chunks, {problems} problems"
        )
        print(
            f"memory  {reading.delta / 2**20:.0f} MiB grown here, {budget.peak / 2**20:.0f} MiB promised, {BUDGET} of budget"
        )
        print(f"disk    {disk / 1e6:.1f} MB: {disk / text:.1f} bytes for each of text")
        print(
            f"all     {total / 1e6:.1f} MB: about {took_s * share / 60:.1f} minutes, {disk * share / 1e6:.0f} MB of disk"
        )


if __name__ == "__main__":
    main()
