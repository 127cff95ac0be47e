from pathlib import Path


def purge_cache(cache_dir: Path, older_than: float) -> None:
    files = list(cache_dir.rglob("*.bin"))
    for f in files:
        if f.stat().st_mtime < older_than:
            f.unlink()
