import sqlite3
import subprocess


class Transcoder:
    def __init__(self, db_path: str):
        self.conn = sqlite3.connect(db_path)

    def run(self) -> None:
        cur = self.conn.cursor()
        cur.execute("SELECT id, path FROM videos WHERE codec <> 'av1'")
        for video_id, path in cur:
            subprocess.run(["ffmpeg", "-i", path, "-c:v", "libsvtav1", path + ".mkv"], check=True)
            self.conn.execute("UPDATE videos SET codec = 'av1' WHERE id = ?", (video_id,))
        self.conn.commit()
