from itertools import chain


def read_chunks(cur, size=500):
    while True:
        rows = cur.fetchmany(size)
        if not rows:
            return
        yield rows


def dump(cur, sink):
    flat = list(chain.from_iterable(read_chunks(cur)))
    sink.write_rows(flat)
