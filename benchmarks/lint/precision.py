"""How many of the linter's findings are right, by hand-labelled samples of well-known packages.

    python -m benchmarks.lint.precision            what the labels say of today's rules
    python -m benchmarks.lint.precision --draw 200 a new sample, to be labelled

Packages are downloaded in the versions named in `packages.txt` (wheels, else source archives), unpacked and never run. For a figure none of
them may have been looked at while rules were made: once a sample was used to mend rules, its packages are replaced by others. The sample is drawn from all findings that the linter shows by default (`sure` and `likely`), each
with the same chance. A label says whether the finding is right: whether memory, or what is open, grows there with data or time beyond what
the code bounds, so that the advice applies: "right". "small" is wrong, too: what the finding says is true of the code, and there is never much of it there; "mistaken"
is not what it says, or bounded. ("wrong", of samples before these were told apart, is either.) Labels name a line by a hash of its text; other people's code is not kept here.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from flatwater.lint import linter
from flatwater.lint.finding import Finding

HERE = Path(__file__).parent
PACKAGES = HERE / "packages.txt"
LABELS = HERE / "labels.jsonl"
CACHE = HERE.parent.parent / ".cache" / "precision"
SEED = 20_261_123
LABEL_FIELDS = ("package", "path", "line", "code", "confidence", "text_hash", "label", "reason", "sample")


class Place(NamedTuple):
    """Where a finding is, whatever lines above it do."""

    package: str
    path: str
    code: str
    text_hash: str


def packages() -> list[str]:
    """Names with versions, one for each line that is no comment."""
    lines = PACKAGES.read_text().splitlines()
    return [each.strip() for each in lines if each.strip() and not each.startswith("#")]


def unpacked(requirement: str) -> Path:
    """The folder with its Python files, downloaded if it is not there."""
    folder = CACHE / requirement.replace("==", "-")
    if (folder / ".done").exists():
        return folder
    archives = folder / ".archive"
    archives.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(archives), requirement]
    subprocess.run(command, check=True)
    for archive in archives.iterdir():
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                wheel.extractall(folder, [each for each in wheel.namelist() if each.endswith(".py")])
        else:
            with tarfile.open(archive) as sdist:
                members = [each for each in sdist.getmembers() if each.isfile() and each.name.endswith(".py")]
                sdist.extractall(folder, members, filter="data")
    (folder / ".done").touch()
    return folder


def findings() -> dict[str, list[Finding]]:
    """What the linter shows by default, package by package, with paths below the package's folder."""
    found = {}
    for requirement in packages():
        folder = unpacked(requirement)
        found[requirement] = [
            replace(each, path=Path(each.path).relative_to(folder).as_posix())
            for each in linter.lint([str(folder)])
            if each.code != linter.NOT_LOOKED_AT
        ]
    return found


def text_hash(finding: Finding) -> str:
    """Of the line, without spaces, and of its number among equal ones."""
    said = f"{''.join(finding.source.split())}\0{finding.nth}"
    return hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def place(package: str, finding: Finding) -> Place:
    """Its place."""
    return Place(package, finding.path, finding.code, text_hash(finding))


def labels() -> dict[Place, dict[str, object]]:
    """All labels, by their places; none before a sample was labelled."""
    kept = {}
    for line in LABELS.read_text().splitlines() if LABELS.exists() else ():
        each = json.loads(line)
        kept[Place(each["package"], each["path"], each["code"], each["text_hash"])] = each
    return kept


def is_right(label: dict[str, object]) -> bool:
    """Whether the finding was found to be worth telling."""
    return label["label"] == "right"


def interval(right: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval of a share, at 95 %."""
    share = right / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * ((share * (1 - share) / total + z * z / (4 * total * total)) ** 0.5) / (1 + z * z / total)
    return middle - half, middle + half


def draw(count: int) -> None:
    """Print a sample, one JSON object a line, with the line's text for who labels it."""
    everything = sorted(
        ((requirement, each) for requirement, found in findings().items() for each in found),
        key=lambda pair: (pair[0], pair[1].path, pair[1].line, pair[1].column, pair[1].code),
    )
    print(f"{len(everything)} findings", Counter(each.code for _, each in everything), file=sys.stderr)
    for requirement, each in random.Random(SEED).sample(everything, min(count, len(everything))):
        at = place(requirement, each)
        print(
            json.dumps(
                {
                    **at._asdict(),
                    "line": each.line,
                    "confidence": str(each.confidence),
                    "message": each.message,
                    "source": each.source,
                }
            )
        )


def tell() -> None:
    """What the labels say: of the sample as it was drawn, and of those of its findings that today's rules still make."""
    known = labels()
    today = {place(requirement, each) for requirement, found in findings().items() for each in found}
    for name, chosen in {"as drawn": list(known), "still found": [each for each in known if each in today]}.items():
        right = sum(is_right(known[each]) for each in chosen)
        low, high = interval(right, len(chosen)) if chosen else (0.0, 1.0)
        print(
            f"{name}: {right} of {len(chosen)} right, {right / max(1, len(chosen)):.1%} (95 %: {low:.0%} to {high:.0%})"
        )
    by_code = Counter((each.code, is_right(known[each])) for each in known)
    for code in sorted({each.code for each in known}):
        print(f"  {code}: {by_code[code, True]} right, {by_code[code, False]} wrong")
    print(f"{len(today)} findings today, {len(today - set(known))} of them without a label")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--draw", type=int, metavar="COUNT", help="a new sample, as lines of JSON")
    arguments = parser.parse_args()
    draw(arguments.draw) if arguments.draw else tell()
