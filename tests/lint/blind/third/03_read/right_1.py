import hashlib
import tomllib
from pathlib import Path

HERE = Path(__file__).parent


def load_settings() -> dict:
    return tomllib.loads((HERE / "settings.toml").read_text())


def package_version() -> str:
    for line in (HERE / "VERSION").read_text().splitlines():
        if line and not line.startswith("#"):
            return line.strip()
    return "0.0.0"


def checksum(artifact: Path) -> str:
    digest = hashlib.sha256()
    with artifact.open("rb") as f:
        while chunk := f.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
