import gzip
import json

import pymysql
import pymysql.cursors


class ChatExporter:
    def __init__(self, host: str, user: str, password: str) -> None:
        self.db = pymysql.connect(
            host=host,
            user=user,
            password=password,
            database="chat",
            cursorclass=pymysql.cursors.DictCursor,
        )

    def export(self, path: str) -> None:
        with self.db.cursor() as cursor, gzip.open(path, "wt") as out:
            cursor.execute("SELECT room_id, author, body, sent_at FROM messages")
            while True:
                rows = cursor.fetchmany(1000)
                if not rows:
                    break
                for row in rows:
                    out.write(json.dumps(row, default=str) + "\n")
