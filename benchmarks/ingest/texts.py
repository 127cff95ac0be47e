"""What the cases of this folder ingest: text files that are on the machine anyway, no two alike, in the same order each time.

They are sources and documentation of Python and of installed packages, and what /usr/share/doc has. Where more is asked for than
there is, the files are taken again with their small letters exchanged, in each turn in another way: words become other words, and
borders of sentences and paragraphs stay where they are, so that no chunk repeats. A folder is made once for each size;
rounds get hard links.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import string
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import kept

KEPT_VERSION = 2
SUFFIXES = (".py", ".md", ".rst", ".txt")
BYTES_MIN, BYTES_MAX = 4_000, 1_000_000  # of a file; they have 24 KB on average
IN_FOLDER = 500
CHANGED_EACH = 100  # one document in so many
SENTENCE = "This sentence was written into the middle of the document after it had been ingested. "


def home() -> Path:
    """A folder for one round."""
    return Path(tempfile.mkdtemp())


def texts(size: int) -> Path:
    """A folder with so many bytes of text, or up to one document more."""
    made = kept.folder("texts", KEPT_VERSION) / f"texts-{size}"
    if not made.exists():
        temporary = kept.folder("texts", KEPT_VERSION) / f"{made.name}.{os.getpid()}"
        left = size
        for number, (suffix, data) in enumerate(_endless()):
            if left <= 0:
                break
            below = temporary / f"{number // IN_FOLDER:04d}"
            below.mkdir(parents=True, exist_ok=True)
            (below / f"{number % IN_FOLDER:04d}{suffix}").write_bytes(data)
            left -= len(data)
        temporary.rename(made)
    return made


def linked(size: int, to: Path) -> None:
    """The same folder as hard links."""
    shutil.copytree(texts(size), to, copy_function=os.link)


def change_some(folder: Path) -> int:
    """Write a sentence into the middle of one document in a hundred; how many these are."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())[::CHANGED_EACH]
    for path in paths:
        data = path.read_bytes()
        middle = data.rfind(b"\n", 0, len(data) // 2) + 1
        path.unlink()  # the link, not the text that others have, too
        path.write_bytes(data[:middle] + SENTENCE.encode() + data[middle:])
    return len(paths)


def _endless() -> Iterator[tuple[str, bytes]]:
    """Documents: what is there, and then what is there with other letters."""
    paths: list[Path] = []
    for path, data in _distinct():
        paths.append(path)
        yield path.suffix, data
    letters = string.ascii_lowercase
    for turn in range(1, 1_000_000):
        exchanged = list(letters)
        random.Random(turn).shuffle(exchanged)
        table = bytes.maketrans(letters.encode(), "".join(exchanged).encode())
        for path in paths:
            yield path.suffix, path.read_bytes().translate(table)


def _distinct() -> Iterator[tuple[Path, bytes]]:
    """Each text once, in an order that has nothing to do with where it is from."""
    seen: set[bytes] = set()
    for path in sorted(_candidates(), key=lambda path: hashlib.blake2b(str(path).encode()).digest()):
        data = path.read_bytes()
        digest = hashlib.blake2b(data, digest_size=16).digest()
        if digest in seen or b"\0" in data:
            continue
        seen.add(digest)
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            continue
        yield path, data


def _candidates() -> Iterator[Path]:
    paths = sysconfig.get_paths()
    roots = {Path(root).resolve() for root in (paths["stdlib"], paths["purelib"], "/usr/share/doc")}
    for root in sorted(roots):
        for folder, _below, names in os.walk(root):
            for name in names:
                path = Path(folder, name)
                if name.endswith(SUFFIXES) and not path.is_symlink() and BYTES_MIN <= path.stat().st_size <= BYTES_MAX:
                    yield path
