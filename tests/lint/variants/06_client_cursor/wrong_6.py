import psycopg


def iter_messages(conn: psycopg.Connection):
    for mid, author, body in conn.execute("SELECT id, author, body FROM messages"):
        yield {"id": mid, "author": author, "body": body}


def archive(dsn, store):
    with psycopg.connect(dsn) as conn:
        for msg in iter_messages(conn):
            store.save(msg)
