from __future__ import annotations

import gzip
import http.server
import threading

import msgspec
import pytest

from flatwater import errors
from flatwater.source import records

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


class Row(msgspec.Struct):
    id: int


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """The bytes of a file of Parquet with twenty row groups, and a large column that nobody asks for."""
    path = tmp_path_factory.mktemp("table") / "a.parquet"
    columns = {"id": list(range(20_000)), "more": [f"{number:0200d}" for number in range(20_000)]}
    parquet.write_table(pa.table(columns), path, row_group_size=1_000, use_dictionary=False, compression="none")
    return path.read_bytes()


class Ranged(http.server.BaseHTTPRequestHandler):
    """Serves `server.data` in the parts that are asked for, and counts what it sends."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_words):
        pass

    def do_GET(self):
        server = self.server
        first, last = 0, len(server.data) - 1
        wanted = self.headers.get("Range") if server.knows_ranges else None
        if wanted:
            start, _, end = wanted.removeprefix("bytes=").partition("-")
            first, last = int(start), min(last, int(end or last))
        body = server.data[first : last + 1][: server.cut]
        server.sent.append(len(body))
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(server.data)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def ranged(table):
    """A server of `table` that knows ranges."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ranged)
    server.daemon_threads = True
    server.data, server.knows_ranges, server.sent, server.cut = table, True, [], None
    server.url = f"http://127.0.0.1:{server.server_port}/a.parquet"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_parquet_of_the_web(ranged):
    """Only the parts with the wanted columns are asked for, none is large, and the bound counts them."""
    with records(ranged.url, Row) as reader:
        assert reader.bytes_max() < 48 << 20
        assert [row.id for row in reader] == list(range(20_000))
    assert sum(ranged.sent) < len(ranged.data) / 4
    assert max(ranged.sent) <= 1 << 20


def test_a_server_without_ranges(ranged):
    """It is refused before the whole file comes, and it is said what to do."""
    ranged.knows_ranges = False
    with pytest.raises(errors.UsageError, match=r"knows no ranges\. Copy it to a local file"):
        list(records(f"{ranged.url}?key=hidden", Row, "parquet"))


def test_compressed_parquet_of_the_web(ranged):
    """It is refused in words; and one whose name does not tell the format is read where that is said."""
    data = ranged.data
    ranged.data = gzip.compress(data)
    with pytest.raises(errors.UsageError, match=r"is gzip data, in which no place can be sought"):
        list(records(ranged.url, Row))
    ranged.data = data
    url = ranged.url.removesuffix(".parquet")
    with pytest.raises(errors.UsageError, match="format='parquet'"):
        list(records(url, Row))
    assert sum(1 for _ in records(url, Row, "parquet")) == 20_000


def test_a_part_that_is_cut_off(ranged):
    """It is an error of ours, not rows that are wrong."""
    with records(ranged.url, Row) as reader:
        assert next(reader).id == 0
        ranged.cut = 100
        with pytest.raises(errors.BrokenError, match="100 came"):
            list(reader)


def test_parquet_of_a_store(store, table):
    """An object of S3 is read in parts, too, all of one version; one that is missing is said to be."""
    client, options = store
    client.put_object(Bucket="bucket", Key="a.parquet", Body=table)
    assert [row.id for row in records("s3://bucket/a.parquet", Row, storage_options=options)] == list(range(20_000))
    with pytest.raises(errors.BrokenError, match="does not exist"):
        list(records("s3://bucket/none.parquet", Row, storage_options=options))
    with records("s3://bucket/a.parquet", Row, storage_options=options) as reader:
        assert next(reader).id == 0
        client.put_object(Bucket="bucket", Key="a.parquet", Body=table + b"more")
        with pytest.raises(errors.BrokenError, match="was written while it was read"):
            list(reader)


def test_parquet_of_other_protocols(table):
    """What fsspec can seek in is read so."""
    import fsspec

    with fsspec.open("memory://folder/a.parquet", "wb") as file:
        file.write(table)
    assert sum(1 for _ in records("memory://folder/a.parquet", Row)) == 20_000
