import sqlite3

from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk


def push_catalogue(db_path: str, es: Elasticsearch) -> None:
    conn = sqlite3.connect(db_path)
    cur = conn.execute("SELECT isbn, title, author, blurb FROM books")
    actions = []
    while chunk := cur.fetchmany(1000):
        for isbn, title, author, blurb in chunk:
            actions.append(
                {
                    "_index": "books",
                    "_id": isbn,
                    "_source": {"title": title, "author": author, "blurb": blurb},
                }
            )
    bulk(es, actions)
    conn.close()
