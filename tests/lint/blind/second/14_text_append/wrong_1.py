import sqlite3


def render_sitemap(db_path: str, host: str) -> str:
    conn = sqlite3.connect(db_path)
    xml = '<?xml version="1.0"?><urlset>'
    for slug, changed in conn.execute("SELECT slug, changed_at FROM pages"):
        xml += f"<url><loc>https://{host}/{slug}</loc><lastmod>{changed}</lastmod></url>"
    xml += "</urlset>"
    conn.close()
    return xml


def write_sitemap(db_path, host, target):
    with open(target, "w") as fh:
        fh.write(render_sitemap(db_path, host))
