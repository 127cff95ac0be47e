import subprocess

from sqlalchemy import create_engine, text

engine = create_engine("postgresql+psycopg://media@db/media")


def transcode_pending() -> None:
    with engine.begin() as conn:
        result = conn.execution_options(yield_per=50).execute(
            text("SELECT id, source, target FROM videos WHERE state = 'pending'")
        )
        for video in result:
            subprocess.run(
                ["ffmpeg", "-y", "-i", video.source, "-c:v", "libx264", video.target],
                check=True,
            )
            conn.execute(
                text("UPDATE videos SET state = 'done' WHERE id = :id"), {"id": video.id}
            )
