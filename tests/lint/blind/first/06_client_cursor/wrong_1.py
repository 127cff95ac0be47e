import json

import psycopg


def dump_events(dsn: str, out_path: str) -> None:
    with psycopg.connect(dsn) as conn:
        with conn.cursor() as cur, open(out_path, "w") as out:
            cur.execute("SELECT id, kind, payload FROM events ORDER BY id")
            for ident, kind, payload in cur:
                out.write(json.dumps({"id": ident, "kind": kind, "payload": payload}))
                out.write("\n")
