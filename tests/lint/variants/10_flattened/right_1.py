def load(source):
    records = (rec for batch in source.iter_batches(batch_size=1000) for rec in batch)
    for rec in records:
        print(rec)
