"""What well-known calls give: the table that types are read from.

Covers:     databases (DB-API drivers, SQLAlchemy, Django, asyncpg, Redis, MongoDB), files, HTTP, frames, directories, queues, executors.
Not here:   following a value through a file (`lint.values`), what is wrong with it (`lint.rules`).
Holds:      the tables.

A kind is a short name of ours. "…\u200b.all" is a collection that holds everything, "…\u200b.some" one that something bounds.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable

BUILTINS = frozenset(dir(builtins))

# --- modules of many names --------------------------------------------------------------------------------------------

DB_API = (
    "sqlite3", "apsw", "psycopg", "psycopg2", "pymysql", "MySQLdb", "mysql.connector", "pyodbc", "oracledb", "cx_Oracle", "pymssql",
    "mariadb", "duckdb", "snowflake.connector", "pg8000", "pg8000.dbapi", "redshift_connector", "databricks.sql", "trino.dbapi",
    "aiosqlite", "aiomysql", "aiopg", "turbodbc", "sqlcipher3", "ibm_db_dbi", "teradatasql", "vertica_python", "clickhouse_driver.dbapi",
)  # fmt: skip
CLIENT_SIDE = (
    "psycopg",
    "psycopg2",
    "pymysql",
    "MySQLdb",
    "mysql.connector",
    "mariadb",
    "aiomysql",
    "aiopg",
    "pg8000",
    "pg8000.dbapi",
)

# Clients with connections of their own, of which a program needs one.
CLIENTS = (
    "kafka.KafkaProducer", "confluent_kafka.Producer", "aiokafka.AIOKafkaProducer", "pika.BlockingConnection", "redis.ConnectionPool",
    "redis.BlockingConnectionPool", "elasticsearch.Elasticsearch", "elasticsearch.AsyncElasticsearch", "opensearchpy.OpenSearch", "openai.OpenAI",
    "openai.AsyncOpenAI", "anthropic.Anthropic", "anthropic.AsyncAnthropic", "google.cloud.storage.Client", "google.cloud.bigquery.Client",
    "google.cloud.pubsub_v1.PublisherClient", "azure.storage.blob.BlobServiceClient", "cassandra.cluster.Cluster", "influxdb_client.InfluxDBClient",
    "qdrant_client.QdrantClient", "neo4j.GraphDatabase.driver", "grpc.insecure_channel", "grpc.secure_channel",
)  # fmt: skip

# Other names of the same thing.
ALIASES = {
    "io.open": "open", "codecs.open": "open", "_io.open": "open", "aiofiles.open": "open", "builtins.open": "open", "anyio.open_file": "open",
    "pandas.io.parsers.read_csv": "pandas.read_csv", "modin.pandas.read_csv": "pandas.read_csv",
    "sqlalchemy.engine.create_engine": "sqlalchemy.create_engine", "sqlalchemy.future.select": "sqlalchemy.select",
    "sqlalchemy.orm.session.Session": "sqlalchemy.orm.Session", "sqlalchemy.sql.select": "sqlalchemy.select",
    "sqlalchemy.orm.query.Query": "sqlalchemy.orm.Query", "sqlalchemy.sql.expression.select": "sqlalchemy.select",
    "sqlmodel.Session": "sqlalchemy.orm.Session", "sqlmodel.select": "sqlalchemy.select", "sqlmodel.create_engine": "sqlalchemy.create_engine",
    "sqlalchemy.ext.asyncio.session.AsyncSession": "sqlalchemy.ext.asyncio.AsyncSession",
    "requests.sessions.Session": "requests.Session", "requests.session": "requests.Session", "requests.api.get": "requests.get",
    "queue.Queue": "queue.Queue", "Queue.Queue": "queue.Queue", "asyncio.queues.Queue": "asyncio.Queue",
    "multiprocessing.queues.Queue": "multiprocessing.Queue", "six.moves.queue.Queue": "queue.Queue",
    "concurrent.futures.thread.ThreadPoolExecutor": "concurrent.futures.ThreadPoolExecutor",
    "concurrent.futures.process.ProcessPoolExecutor": "concurrent.futures.ProcessPoolExecutor",
    "functools32.lru_cache": "functools.lru_cache", "simplejson.load": "json.load", "simplejson.loads": "json.loads", "ujson.loads": "json.loads", "orjson.loads": "json.loads", "rapidjson.loads": "json.loads", "ujson.load": "json.load", "rapidjson.load": "json.load",
    "simplejson.dumps": "json.dumps", "ujson.dumps": "json.dumps", "orjson.dumps": "json.dumps", "rapidjson.dumps": "json.dumps",
    "pymongo.mongo_client.MongoClient": "pymongo.MongoClient", "motor.motor_asyncio.AsyncIOMotorClient": "pymongo.MongoClient",
    "redis.client.Redis": "redis.Redis", "redis.StrictRedis": "redis.Redis", "redis.asyncio.Redis": "redis.Redis",
    "redis.asyncio.from_url": "redis.from_url", "aioredis.from_url": "redis.from_url", "redis.Redis.from_url": "redis.from_url",
    "urllib2.urlopen": "urllib.request.urlopen", "django.utils.functional.cached_property": "functools.cached_property",
    "cached_property.cached_property": "functools.cached_property", "werkzeug.utils.cached_property": "functools.cached_property",
    "pyarrow.parquet.core.ParquetFile": "pyarrow.parquet.ParquetFile", "scandir.walk": "os.walk", "smart_open.smart_open": "open",
    "smart_open.open": "open", "fsspec.open": "open", "tqdm.notebook.tqdm": "tqdm.tqdm", "tqdm.trange": "range",
}  # fmt: skip

# --- what a call gives ------------------------------------------------------------------------------------------------

MADE: dict[str, str] = {
    **{f"{module}.{name}": "db.client" if module in CLIENT_SIDE else "db.connection" for module in DB_API for name in ("connect", "Connection", "AsyncConnection.connect", "Connection.connect", "AsyncConnection")},
    "asyncpg.connect": "pg.async", "asyncpg.create_pool": "pg.pool",
    "psycopg_pool.ConnectionPool": "db.pool", "psycopg_pool.AsyncConnectionPool": "db.pool", "psycopg2.pool.SimpleConnectionPool": "db.pool",
    "psycopg2.pool.ThreadedConnectionPool": "db.pool", "dbutils.pooled_db.PooledDB": "db.pool",
    "sqlalchemy.create_engine": "sa.engine", "sqlalchemy.ext.asyncio.create_async_engine": "sa.engine", "sqlalchemy.engine_from_config": "sa.engine",
    "sqlalchemy.orm.sessionmaker": "sa.maker", "sqlalchemy.ext.asyncio.async_sessionmaker": "sa.maker", "sqlalchemy.orm.scoped_session": "sa.session",
    "sqlalchemy.orm.Session": "sa.session", "sqlalchemy.ext.asyncio.AsyncSession": "sa.session",
    "sqlalchemy.select": "sa.select", "sqlalchemy.orm.Query": "sa.query", "flask_sqlalchemy.SQLAlchemy": "sa.flask",
    "django.shortcuts.get_list_or_404": "rows.all", "django.db.models.QuerySet": "django.queryset",
    "django.core.paginator.Paginator": "django.paginator",
    "redis.Redis": "redis", "redis.from_url": "redis", "fakeredis.FakeRedis": "redis",
    "pymongo.MongoClient": "mongo",
    "urllib.request.urlopen": "http.reading",
    "requests.Session": "http.session", "httpx.Client": "http.session", "httpx.AsyncClient": "http.session", "aiohttp.ClientSession": "aio.session",
    "httpx.stream": "http.stream",
    "tempfile.TemporaryFile": "file", "tempfile.NamedTemporaryFile": "file", "tempfile.SpooledTemporaryFile": "file", "os.fdopen": "file",
    "gzip.open": "file", "bz2.open": "file", "lzma.open": "file", "gzip.GzipFile": "file", "bz2.BZ2File": "file", "lzma.LZMAFile": "file",
    "tarfile.open": "tar", "zipfile.ZipFile": "zip",
    "pathlib.Path": "path", "pathlib.PurePath": "path", "anyio.Path": "path", "pathlib.Path.cwd": "path", "pathlib.Path.home": "path",
    "upath.UPath": "path", "aiopath.AsyncPath": "path",
    "pandas.read_parquet": "frame", "pandas.read_json": "frame", "pandas.read_excel": "frame", "pandas.read_feather": "frame",
    "pandas.read_orc": "frame", "pandas.read_pickle": "frame", "pandas.read_hdf": "frame", "pandas.read_stata": "frame", "pandas.read_sas": "frame",
    "pandas.read_fwf": "frame", "pandas.read_xml": "frame", "pandas.read_html": "frame.list", "pandas.DataFrame": "frame.made",
    "polars.read_csv": "frame", "polars.read_parquet": "frame", "polars.read_ndjson": "frame", "polars.read_ipc": "frame",
    "polars.read_json": "frame", "polars.read_database": "frame", "polars.scan_csv": "frame.lazy", "polars.scan_parquet": "frame.lazy",
    "pyarrow.parquet.read_table": "frame", "pyarrow.csv.read_csv": "frame", "pyarrow.feather.read_table": "frame", "pyarrow.json.read_json": "frame",
    "pyarrow.parquet.ParquetFile": "parquet", "pyarrow.csv.open_csv": "batches", "geopandas.read_file": "frame",
    "pyarrow.dataset.dataset": "arrow.dataset", "pyarrow.ipc.open_stream": "batches",
    "ijson.items": "records", "ijson.kvitems": "records", "fileinput.input": "records", "fastavro.reader": "records", "fastavro.block_reader": "batches",
    "Bio.SeqIO.parse": "records", "Bio.AlignIO.parse": "records", "Bio.SearchIO.parse": "records", "Bio.Medline.parse": "records",
    "pysam.AlignmentFile": "records", "pysam.VariantFile": "records", "pysam.FastxFile": "records", "pysam.TabixFile": "records", "cyvcf2.VCF": "records",
    "warcio.archiveiterator.ArchiveIterator": "records", "warcio.ArchiveIterator": "records", "mailbox.mbox": "records", "pymarc.MARCReader": "records",
    "soundfile.SoundFile": "sound", "soundfile.blocks": "batches",
    "dpkt.pcap.Reader": "records", "scapy.all.PcapReader": "records", "scapy.utils.PcapReader": "records", "fiona.open": "records",
    "openpyxl.load_workbook": "workbook", "jsonlines.open": "records", "xml.etree.ElementTree.iterparse": "records", "lxml.etree.iterparse": "records",
    "os.walk": "fs.tree", "os.fwalk": "fs.tree", "os.scandir": "fs.entries", "os.listdir": "names.all", "glob.glob": "names.all",
    "glob.iglob": "fs.entries",
    "queue.Queue": "queue", "queue.LifoQueue": "queue", "queue.PriorityQueue": "queue", "queue.SimpleQueue": "queue", "asyncio.Queue": "queue",
    "asyncio.LifoQueue": "queue", "asyncio.PriorityQueue": "queue", "multiprocessing.Queue": "queue", "multiprocessing.SimpleQueue": "queue",
    "collections.deque": "deque",
    "concurrent.futures.ThreadPoolExecutor": "executor", "concurrent.futures.ProcessPoolExecutor": "executor",
    "multiprocessing.Pool": "pool", "multiprocessing.pool.ThreadPool": "pool", "multiprocessing.pool.Pool": "pool",
    "asyncio.TaskGroup": "task.group", "anyio.create_task_group": "task.group", "trio.open_nursery": "task.group",
    "boto3.client": "boto", "boto3.resource": "boto", "boto3.Session": "boto.session", "boto3.session.Session": "boto.session",
    "datasets.load_dataset": "hf.dataset",
    **dict.fromkeys(CLIENTS, "client"),
    "confluent_kafka.Consumer": "records", "kafka.KafkaConsumer": "records", "aiokafka.AIOKafkaConsumer": "records", "websockets.connect": "records",
    "websockets.client.connect": "records", "websockets.sync.client.connect": "records", "itertools.count": "endless", "itertools.cycle": "endless",
    "json.load": "parsed", "json.loads": "parsed", "pickle.load": "parsed", "yaml.safe_load": "parsed", "yaml.load": "parsed", "tomllib.load": "config",
    "range": "numbers", "dict": "made", "list": "made", "set": "made", "collections.defaultdict": "made", "collections.OrderedDict": "made",
    "collections.Counter": "made", "bytearray": "made", "io.StringIO": "made", "io.BytesIO": "made",
    "flatwater.Table": "fw.table", "flatwater.lines": "records", "flatwater.records": "records", "flatwater.FileChunks": "batches",
    "flatwater.Store": "fw.store", "flatwater.builder": "fw.builder", "flatwater.Database": "fw.database",
}  # fmt: skip


def _argument(node: ast.Call, name: str, place: int | None = None) -> ast.expr | None:
    for each in node.keywords:
        if each.arg == name:
            return each.value
    if place is not None and len(node.args) > place and not any(isinstance(each, ast.Starred) for each in node.args):
        return node.args[place]
    return None


def has(node: ast.Call, *names: str) -> bool:
    """Whether any of these keywords is given, and is not None, False or 0; or may be, by `**`."""
    for each in node.keywords:
        if each.arg is None:
            return True
        if each.arg in names:
            return not (isinstance(each.value, ast.Constant) and not each.value.value)
    return False


def _open(node: ast.Call) -> str:
    mode = _argument(node, "mode", 1)
    said = (
        mode.value if isinstance(mode, ast.Constant) and isinstance(mode.value, str) else ("r" if mode is None else "?")
    )
    return "file" if said == "?" or "r" in said or "+" in said else "file.written"


def _read_csv(node: ast.Call) -> str:
    if has(node, "chunksize", "iterator"):
        return "frames"
    return "frame.some" if has(node, "nrows") else "frame"


def _got(node: ast.Call) -> str:
    return "http.stream" if has(node, "stream") else "http.answer"


def _read_json(node: ast.Call) -> str:
    return "frames" if has(node, "chunksize") else "frame"


IN_MEMORY = frozenset({"StringIO", "BytesIO", "splitlines", "split", "getvalue"})


def _of_lines(node: ast.Call) -> str:
    """Records of lines; not of a text that is in memory anyway."""
    first = node.args[0] if node.args else None
    if isinstance(first, ast.List | ast.Tuple | ast.Constant):
        return ""
    if isinstance(first, ast.Call):
        name = (
            first.func.attr
            if isinstance(first.func, ast.Attribute)
            else first.func.id
            if isinstance(first.func, ast.Name)
            else ""
        )
        if name in IN_MEMORY:
            return ""
    return "records"


def _paginated(node: ast.Call) -> str:
    """Pages of all that there is, or of as many as are asked for."""
    asked = _argument(node, "PaginationConfig")
    is_bounded = isinstance(asked, ast.Dict) and any(
        isinstance(each, ast.Constant) and each.value == "MaxItems" for each in asked.keys
    )
    return "rows.some" if is_bounded else "batches"


def _connected(node: ast.Call) -> str:
    """A connection whose cursors send rows as they are read, if its class of cursors says so."""
    given = [keyword.value for keyword in node.keywords if keyword.arg == "cursorclass"]
    name = ast.unparse(given[0]).rpartition(".")[2] if given else ""
    return "db.connection" if name.startswith("SS") else "db.client"


BY_ARGUMENT: dict[str, Callable[[ast.Call], str]] = {
    "csv.reader": _of_lines, "csv.DictReader": _of_lines,
    "open": _open,
    "pymysql.connect": _connected, "MySQLdb.connect": _connected, "pymysql.Connection": _connected,
    "pandas.read_csv": _read_csv, "pandas.read_table": _read_csv, "pandas.read_sql": _read_csv, "pandas.read_sql_query": _read_csv,
    "pandas.read_sql_table": _read_csv, "pandas.read_json": _read_json, "pandas.read_fwf": _read_csv,
    **{f"{module}.{verb}": _got for module in ("requests", "httpx") for verb in ("get", "post", "put", "request", "patch")},
}  # fmt: skip


def _cursor(kind: str) -> Callable[[ast.Call], str]:
    def of(node: ast.Call) -> str:
        if has(node, "name") or (
            node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
        ):
            return "db.server_cursor"
        for each in [*node.args, *[keyword.value for keyword in node.keywords]]:
            if isinstance(each, ast.Name | ast.Attribute) and (
                each.id if isinstance(each, ast.Name) else each.attr
            ).startswith("SS"):
                return "db.server_cursor"
        return kind

    return of


Result = str | Callable[[ast.Call], str]


def _many(holders: Iterable[str], names: Iterable[str], gives: Result) -> dict[tuple[str | None, str], Result]:
    return {(holder, name): gives for holder in holders for name in names}


QUERY = (
    "filter", "filter_by", "where", "join", "outerjoin", "options", "order_by", "group_by", "having", "distinct", "select_from", "with_entities",
    "add_columns", "execution_options", "with_for_update", "union", "union_all", "populate_existing", "enable_eagerloads", "params", "correlate",
    "add_entity", "from_statement", "with_session", "reset_joinpoint", "correlate", "prefix_with", "offset", "except_", "intersect",
)  # fmt: skip
DJANGO = (
    "all", "filter", "exclude", "order_by", "select_related", "prefetch_related", "annotate", "distinct", "values", "values_list", "only", "defer",
    "using", "reverse", "select_for_update", "extra", "alias", "union", "intersection", "difference", "none", "complex_filter", "get_queryset", "raw",
)  # fmt: skip

PEEWEE = (
    "where", "order_by", "order_by_extend", "join", "left_outer_join", "join_from", "switch", "group_by", "having", "distinct", "select", "select_extend",
    "dicts", "tuples", "namedtuples", "objects", "alias", "offset", "union", "with_cte", "for_update",
)  # fmt: skip

METHODS: dict[tuple[str | None, str], Result] = {
    # DB-API
    ("db.connection", "cursor"): _cursor("db.cursor"), ("db.client", "cursor"): _cursor("db.client_cursor"),
    **_many(("db.connection",), ("execute", "executemany"), "db.cursor"),
    **_many(("db.client",), ("execute", "executemany"), "db.client_cursor"),
    **_many(("db.cursor", "db.client_cursor", "db.server_cursor"), ("execute",), "same"),
    **_many(("db.cursor", "db.client_cursor", "db.server_cursor"), ("fetchall", "fetch_all"), "rows.all"),
    **_many(("db.cursor", "db.client_cursor", "db.server_cursor"), ("fetchmany", "fetch_many"), "rows.some"),
    **_many(("db.cursor", "db.client_cursor", "db.server_cursor"), ("fetchone", "fetch_one"), "row"),
    **_many(("db.cursor", "db.client_cursor"), ("df", "fetchdf", "fetch_df", "arrow", "pl", "fetch_arrow_table"), "frame"),
    **_many(("db.connection",), ("fetchall", "fetchdf"), "rows.all"), ("db.connection", "execute_fetchall"): "rows.all",
    ("db.pool", "connection"): "db.client", ("db.pool", "getconn"): "db.client", ("db.pool", "acquire"): "db.client",
    ("pg.async", "fetch"): "rows.all", ("pg.pool", "fetch"): "rows.all", ("pg.async", "cursor"): "db.server_cursor", ("pg.pool", "acquire"): "pg.async",
    ("pg.async", "fetchrow"): "row", ("pg.pool", "fetchrow"): "row",
    # SQLAlchemy
    **_many(("sa.engine",), ("connect", "begin", "execution_options"), "sa.connection"), ("sa.engine", "raw_connection"): "db.connection",
    ("sa.maker", "begin"): "sa.session", ("sa.maker", "__call__"): "sa.session",
    **_many(("sa.session",), ("query",), "sa.query"), ("sa.session", "begin"): "sa.session",
    **_many(("sa.session", "sa.connection"), ("execute", "exec"), "sa.result"), **_many(("sa.session", "sa.connection"), ("scalars",), "sa.scalars"),
    **_many(("sa.session", "sa.connection"), ("stream", "stream_scalars"), "sa.streamed"), ("sa.session", "connection"): "sa.connection",
    ("sa.connection", "execution_options"): "same",
    **_many(("sa.query", "sa.query.some", "sa.select", "sa.select.some"), QUERY, "same"),
    ("sa.query", "limit"): "sa.query.some", ("sa.query", "slice"): "sa.query.some", ("sa.select", "limit"): "sa.select.some", ("sa.select", "fetch"): "sa.select.some",
    ("sa.query", "yield_per"): "sa.streamed", ("sa.query", "all"): "rows.all", ("sa.query.some", "all"): "rows.some",
    ("sa.result", "scalars"): "sa.scalars", ("sa.result", "mappings"): "sa.scalars", ("sa.result", "unique"): "same", ("sa.scalars", "unique"): "same",
    ("sa.result", "tuples"): "same", ("sa.result", "yield_per"): "sa.streamed", ("sa.scalars", "yield_per"): "sa.streamed",
    **_many(("sa.result", "sa.scalars"), ("all", "fetchall"), "rows.all"), **_many(("sa.result", "sa.scalars"), ("fetchmany", "partitions"), "rows.some"),
    **_many(("sa.query", "sa.query.some", "sa.result", "sa.scalars"), ("first", "one", "one_or_none", "scalar", "scalar_one", "scalar_one_or_none", "get", "fetchone"), "row"),
    **_many(("sa.query",), ("count",), "number"),
    # Django
    **_many(("django.manager", "django.queryset"), DJANGO, "django.queryset"), **_many(("django.queryset.some",), DJANGO, "django.queryset.some"),
    **_many(("django.manager", "django.queryset"), ("iterator", "aiterator"), "records"),
    **_many(("django.manager", "django.queryset", "django.queryset.some"), ("get", "first", "last", "earliest", "latest", "aget", "afirst", "create", "get_or_create"), "row"),
    **_many(("django.manager", "django.queryset"), ("count", "exists", "aggregate", "update", "delete"), "number"),
    **_many(("django.manager", "django.queryset"), ("in_bulk",), "rows.all"),
    # files and paths
    ("path", "open"): _open, **_many(("path",), ("read_text", "read_bytes"), "whole"), ("path", "iterdir"): "fs.entries", ("path", "glob"): "fs.entries",
    ("path", "rglob"): "fs.tree", ("path", "walk"): "fs.tree",
    **_many(("path",), ("resolve", "absolute", "expanduser", "with_suffix", "with_name", "joinpath", "relative_to"), "same"),
    ("path.entry", "open"): _open, **_many(("path.entry",), ("read_text", "read_bytes"), "whole"),
    ("zip", "open"): "file", ("zip", "read"): "whole", ("tar", "extractfile"): "file", ("zip", "namelist"): "names.some", ("zip", "infolist"): "names.some",
    ("file", "readlines"): "lines.all",
    # HTTP
    **_many(("http.session",), ("get", "post", "put", "request", "patch"), _got), ("http.session", "stream"): "http.stream",
    **_many(("aio.session",), ("get", "post", "put", "request"), "aio.answer"), ("http.stream", "json"): "parsed", ("http.answer", "json"): "parsed",
    **_many(("aio.answer", "http.stream"), ("read", "text", "aread"), "whole"), **_many(("http.stream",), ("iter_content", "iter_lines", "iter_bytes", "iter_raw", "aiter_bytes"), "batches"),
    # frames
    ("parquet", "iter_batches"): "batches", ("parquet", "read"): "frame", ("arrow.dataset", "to_batches"): "batches", ("arrow.dataset", "to_table"): "frame",
    **_many(("frame", "frame.part"), ("iterrows", "itertuples", "to_dict", "to_dicts", "iter_rows", "items", "to_pylist"), "frame.rows"),
    **_many(("frame",), ("copy", "dropna", "fillna", "reset_index", "set_index", "rename", "assign", "astype", "sort_values", "drop", "merge", "to_pandas"), "same"),
    **_many(("frame",), ("head", "tail", "sample", "nlargest"), "frame.some"), ("frame.lazy", "collect"): "frame",
    # others
    **_many(("redis",), ("scan_iter", "hscan_iter", "sscan_iter", "zscan_iter"), "redis.scan"),
    **_many(("redis",), ("keys", "smembers", "hgetall", "hkeys", "hvals"), "names.all"), ("redis", "lrange"): "names.all",
    **_many(("mongo", "mongo.database"), ("get_database", "get_default_database"), "mongo.database"), ("mongo.database", "get_collection"): "mongo.collection",
    **_many(("mongo.collection",), ("find", "aggregate"), "mongo.cursor"), ("mongo.cursor", "limit"): "mongo.some",
    **_many(("mongo.cursor", "mongo.some"), ("sort", "skip", "batch_size", "hint", "allow_disk_use"), "same"), ("mongo.cursor", "to_list"): "rows.all",
    ("boto", "Bucket"): "boto.bucket", ("boto.collection", "all"): "records", ("boto.collection", "filter"): "stream", ("sound", "blocks"): "batches",
    **_many(("records",), ("fetch", "pileup"), "records"), ("aio.session", "ws_connect"): "records",
    # peewee
    **_many(("peewee.query",), PEEWEE, "same"), ("peewee.query", "limit"): "peewee.query.some", ("peewee.query", "paginate"): "peewee.query.some",
    **_many(("peewee.query.some",), PEEWEE, "same"), ("peewee.query", "iterator"): "records",
    **_many(("peewee.query", "peewee.query.some"), ("get", "first", "get_or_none", "count", "exists", "scalar", "execute"), "row"),
    ("boto", "get_paginator"): "boto.paginator", ("boto.paginator", "paginate"): _paginated, ("boto", "get_object"): "boto.object",
    **_many(("boto.session",), ("client", "resource"), "boto"), ("boto", "Object"): "boto.key", ("boto.key", "get"): "boto.object",
    ("uploads", "get"): "upload",
    ("fw.table", "find_each"): "records", ("fw.table", "batches"): "batches", ("fw.store", "batches"): "batches", ("fw.store", "write"): "number",
    ("fw.database", "sql"): "records", ("fw.table", "pluck"): "records", ("hf.dataset", "iter"): "batches",
}  # fmt: skip

# Methods that give parts of a stream, whoever has them: nothing else is called so.
BY_NAME: dict[str, str] = {
    "iter_batches": "batches", "iter_chunks": "batches", "iter_content": "batches", "iter_lines": "batches", "aiter_bytes": "batches",
    "aiter_lines": "batches", "aiter_text": "batches", "iter_text": "batches", "aiter_raw": "batches", "scan_iter": "redis.scan", "yield_per": "sa.streamed", "stream_scalars": "sa.streamed",
}  # fmt: skip

# Methods that a session of SQLAlchemy takes a `select(…)` by.
TAKES_SELECT = frozenset({"execute", "exec", "scalars", "stream", "stream_scalars"})

ATTRIBUTES: dict[tuple[str, str], str] = {
    ("sa.flask", "session"): "sa.session", ("path", "parent"): "path",
    **{(kind, name): "whole" for kind in ("http.stream", "http.answer") for name in ("content", "text")},
    ("boto.bucket", "objects"): "boto.collection", ("boto.bucket", "object_versions"): "boto.collection",
    ("http.stream", "raw"): "http.reading", ("flask.request", "files"): "uploads", ("sa.session", "bind"): "sa.engine",
}  # fmt: skip

VALUES: dict[str, str] = {
    "django.db.connection": "db.connection",
    "django.db.connections": "db.connections",
    "flask_sqlalchemy.session": "sa.session",
    "flask.request": "flask.request",
    "sys.stdin": "file",
    "sys.stdin.buffer": "file",
}

# What stands under a name in it; None for any name.
PARTS: dict[tuple[str, object], str] = {
    ("boto.object", "Body"): "boto.object", ("uploads", None): "upload",
    ("mongo", None): "mongo.database", ("mongo.database", None): "mongo.collection", ("mongo.collection", None): "mongo.collection",
}  # fmt: skip

FAMILY: dict[str, str] = {"db.client_cursor": "db.cursor"}

# What a class used as an annotation says of its instances, beside what its call gives.
CLASSES: dict[str, str] = {
    **{f"{module}.{name}": "db.cursor" for module in DB_API for name in ("Cursor", "cursor", "AsyncCursor", "cursors.Cursor", "cursors.DictCursor", "extensions.cursor", "cursor.MySQLCursor")},
    **{f"{module}.{name}": "db.client" if module in CLIENT_SIDE else "db.connection" for module in DB_API for name in ("Connection", "extensions.connection", "AsyncConnection", "connections.Connection", "connection.MySQLConnection", "DuckDBPyConnection")},
    **{f"{module}.{name}": "db.server_cursor" for module in DB_API for name in ("ServerCursor", "AsyncServerCursor", "cursors.SSCursor", "cursors.SSDictCursor")},
    "asyncpg.Connection": "pg.async", "asyncpg.connection.Connection": "pg.async", "asyncpg.Pool": "pg.pool", "asyncpg.pool.Pool": "pg.pool",
    "sqlalchemy.engine.Engine": "sa.engine", "sqlalchemy.Engine": "sa.engine", "sqlalchemy.engine.Connection": "sa.connection",
    "sqlalchemy.Connection": "sa.connection", "sqlalchemy.ext.asyncio.AsyncEngine": "sa.engine", "sqlalchemy.ext.asyncio.AsyncConnection": "sa.connection",
    "sqlalchemy.engine.Result": "sa.result", "sqlalchemy.Select": "sa.select", "sqlalchemy.sql.Select": "sa.select", "sqlalchemy.Result": "sa.result",
    "django.db.models.QuerySet": "django.queryset", "django.db.models.query.QuerySet": "django.queryset", "django.db.models.Manager": "django.manager",
    "django.db.models.manager.BaseManager": "django.manager", "requests.Response": "http.answer", "requests.models.Response": "http.answer",
    "httpx.Response": "http.answer", "aiohttp.ClientResponse": "aio.answer", "pandas.DataFrame": "frame.made", "polars.DataFrame": "frame.made",
    "typing.TextIO": "file", "typing.BinaryIO": "file", "typing.IO": "file", "io.TextIOWrapper": "file", "io.BufferedReader": "file",
    "io.BufferedIOBase": "file", "io.RawIOBase": "file", "io.IOBase": "file", "io.TextIOBase": "file", "io.FileIO": "file",
    "pymongo.collection.Collection": "mongo.collection", "pymongo.database.Database": "mongo.database",
    "concurrent.futures.Executor": "executor", "starlette.datastructures.UploadFile": "upload", "fastapi.UploadFile": "upload",
    **{f"{module}.{name}": "stream" for module in ("typing", "collections.abc") for name in ("Iterator", "AsyncIterator", "Generator", "AsyncGenerator")},
    **{f"{module}.{name}": "given" for module in ("typing", "collections.abc") for name in ("Iterable", "AsyncIterable")},
}  # fmt: skip

# What a loop over it gives.
EACH: dict[str, str] = {
    "db.cursor": "row", "db.client_cursor": "row", "db.server_cursor": "row", "rows.all": "row", "rows.some": "row", "sa.query": "row", "peewee.query": "row", "sa.streamed": "row",
    "sa.result": "row", "sa.scalars": "row", "django.queryset": "row", "django.queryset.some": "row", "records": "row", "frames": "frame.part",
    "batches": "rows.some", "fs.entries": "path.entry", "fs.tree": "path.entry", "file": "line", "mongo.cursor": "row",
}  # fmt: skip

# What `with` gives, where it is not the same.
ENTERS: dict[str, str] = {"sa.maker": "sa.session", "fs.entries": "fs.entries"}

# What a generator expression over it is.
STREAM_OF: dict[str, str] = {
    **{each: each for each in ("records", "batches", "frames", "db.server_cursor", "sa.streamed", "file", "fs.entries", "fs.tree", "redis.scan", "own.stream", "stream", "db.cursor", "mongo.cursor")},
    "django.queryset": "django.queryset", "sa.result": "sa.result", "sa.scalars": "sa.scalars", "sa.query": "sa.query", "peewee.query": "peewee.query",
    "db.client_cursor": "db.client_cursor",
}  # fmt: skip

# The same with a bound, and back.
BOUNDED: dict[str, str] = {
    "sa.query": "sa.query.some", "peewee.query": "peewee.query.some", "django.queryset": "django.queryset.some", "django.manager": "django.queryset.some", "sa.select": "sa.select.some",
    "rows.all": "rows.some", "lines.all": "lines.some", "mongo.cursor": "mongo.some", "frame": "frame.some", "names.all": "names.some",
    "frame.rows": "rows.some",
}  # fmt: skip
UNBOUNDED: dict[str, str] = {some: everything for everything, some in BOUNDED.items()}

# What passes its first argument on.
PASSES = frozenset(
    {"contextlib.closing", "contextlib.aclosing", "typing.cast", "copy.copy", "asgiref.sync.sync_to_async"}
)

# Lazy sources of any length: what is collected from them grows with the data.
STREAMS = frozenset(
    {
        "records", "batches", "frames", "db.cursor", "db.client_cursor", "db.server_cursor", "sa.streamed", "file", "fs.entries", "fs.tree", "redis.scan",
        "django.queryset", "sa.query", "peewee.query", "sa.result", "sa.scalars", "mongo.cursor", "own.stream", "stream", "tar", "endless", "http.reading",
    }
)  # fmt: skip
OPEN_ENDED = frozenset({"own.stream", "stream"})  # somebody's own: it may be short


def by_name(func: ast.Attribute) -> str:
    """What a method gives that says so by itself, whoever has it; "" where it does not."""
    if func.attr == "iterator" and isinstance(func.value, ast.Name) and func.value.id in {"queryset", "qs"}:
        return "records"  # of Django, handed in
    return BY_NAME.get(func.attr, "")


def is_builtin(name: str) -> bool:
    """Whether Python gives this name to every module."""
    return name in BUILTINS


def alias(name: str) -> str:
    """The name of the same thing that the tables use."""
    return ALIASES.get(name, name)


def is_same(origins: set[str], one: str) -> bool:
    """Whether all these are other places of one name: `try: import ujson as json`."""
    return len({alias(f"{each}.load") for each in origins} | {alias(f"{one}.load")}) == 1
