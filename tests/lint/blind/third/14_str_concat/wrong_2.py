import sqlite3


class SitemapBuilder:
    def __init__(self, db: str, base: str) -> None:
        self.conn = sqlite3.connect(db)
        self.base = base

    def build(self) -> str:
        xml = '<?xml version="1.0"?>\n<urlset>\n'
        for slug, changed in self.conn.execute("SELECT slug, changed FROM articles"):
            xml += f"<url><loc>{self.base}/{slug}</loc><lastmod>{changed}</lastmod></url>\n"
        xml += "</urlset>\n"
        return xml
