import psycopg


async def reindex_documents(dsn, index):
    async with await psycopg.AsyncConnection.connect(dsn) as aconn:
        async with aconn.cursor() as cur:
            await cur.execute("SELECT id, body FROM documents")
            async for doc_id, body in cur:
                await index.put(doc_id, body)
