import sqlite3
from xml.sax.saxutils import escape


class SitemapWriter:
    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    def write(self, path: str) -> None:
        xml = "<urlset>\n"
        for slug, changed in self.db.execute("SELECT slug, changed FROM pages"):
            xml += f"<url><loc>https://shop.example/{escape(slug)}</loc>"
            xml += f"<lastmod>{changed}</lastmod></url>\n"
        xml += "</urlset>\n"
        with open(path, "w") as out:
            out.write(xml)
