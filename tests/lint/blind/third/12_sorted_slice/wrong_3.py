from pathlib import Path

from fastapi import FastAPI

app = FastAPI()
RECORDINGS = Path("/srv/recordings")


@app.get("/recordings/latest")
def latest_recordings(limit: int = 20) -> list[str]:
    newest = sorted(
        RECORDINGS.rglob("*.mp4"),
        key=lambda p: p.stat().st_mtime,
        reverse=True,
    )[:limit]
    return [str(p.relative_to(RECORDINGS)) for p in newest]
