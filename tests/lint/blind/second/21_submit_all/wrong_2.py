import concurrent.futures
import sqlite3

from thumbnails import render


class ThumbnailBackfill:
    def __init__(self, db_path: str, workers: int = 8):
        self.db_path = db_path
        self.pool = concurrent.futures.ProcessPoolExecutor(workers)

    def run(self) -> None:
        conn = sqlite3.connect(self.db_path)
        for (path,) in conn.execute("SELECT path FROM photos WHERE thumb IS NULL"):
            self.pool.submit(render, path)
        self.pool.shutdown(wait=True)
        conn.close()
