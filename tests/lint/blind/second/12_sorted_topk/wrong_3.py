import numpy as np
from sqlalchemy import create_engine, text

engine = create_engine("postgresql+psycopg://search@db/search")


def most_similar(query_vector, k=5):
    q = np.asarray(query_vector)
    with engine.connect().execution_options(stream_results=True) as conn:
        rows = conn.execute(text("SELECT doc_id, embedding FROM documents"))
        scored = ((float(np.dot(q, row.embedding)), row.doc_id) for row in rows)
        return [doc_id for _, doc_id in sorted(scored, reverse=True)[:k]]
