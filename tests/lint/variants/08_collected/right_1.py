def load(rows, db, size=500):
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) >= size:
            db.insert_many(batch)
            batch.clear()
    if batch:
        db.insert_many(batch)
