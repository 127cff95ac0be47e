from itertools import chain, islice


def sample(source, n=50):
    return list(islice(chain.from_iterable(source.iter_batches()), 50))


def per_batch(source, sink):
    for batch in source.iter_batches(500):
        sink.write([rec["id"] for rec in batch])
