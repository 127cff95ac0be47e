import sqlite3


def recent_failures(conn: sqlite3.Connection, pipeline: str) -> list[dict]:
    conn.row_factory = sqlite3.Row
    cur = conn.execute(
        """
        SELECT build_no, branch, finished_at
        FROM builds
        WHERE pipeline = ? AND status = 'failed'
        ORDER BY finished_at DESC
        LIMIT 20
        """,
        (pipeline,),
    )
    failures = []
    for row in cur.fetchall():
        failures.append({"no": row["build_no"], "branch": row["branch"]})
    return failures
