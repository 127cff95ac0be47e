from sqlalchemy import create_engine, text

engine = create_engine("postgresql+psycopg://app@db/warehouse")


def reindex(es):
    with engine.connect() as connection:
        result = connection.execute(text("SELECT id, title, body FROM articles"))
        for row in result.fetchall():
            es.index(index="articles", id=row.id, document={"title": row.title, "body": row.body})
