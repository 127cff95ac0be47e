import hashlib
from pathlib import Path

BLOCK = 1 << 20


def file_digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as fh:
        while block := fh.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def own_version() -> str:
    return (Path(__file__).parent / "VERSION").read_text().strip()
