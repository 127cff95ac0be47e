"""A program that lets libraries written in C do the work: SQLite sorts, zlib packs, SHA-256 sums."""

from __future__ import annotations

import hashlib
import sqlite3
import sys
import zlib

BLOCK = bytes(range(256)) * 4096  # 1 MiB


def main(rounds: int) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (a INTEGER, b TEXT)")
    connection.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
        "INSERT INTO t SELECT i * 7919 % 20011, 'row ' || i FROM n"
    )
    digest = hashlib.sha256()
    for _ in range(rounds):
        packed = zlib.compress(BLOCK, 9)
        digest.update(zlib.decompress(packed))
        connection.execute("SELECT count(*) FROM (SELECT b FROM t ORDER BY a, b)").fetchone()
    print(digest.hexdigest())


if __name__ == "__main__":
    main(int(sys.argv[1]))
