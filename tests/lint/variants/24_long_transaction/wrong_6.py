import sqlite3
from urllib.request import urlopen


def refresh_feeds(path):
    db = sqlite3.connect(path)
    db.execute("BEGIN IMMEDIATE")
    for feed_id, url in db.execute("SELECT id, url FROM feeds"):
        body = urlopen(url, timeout=30).read(1_000_000)
        db.execute("UPDATE feeds SET body = ? WHERE id = ?", (body, feed_id))
    db.commit()
