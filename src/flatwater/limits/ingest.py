"""Bounds of ingestion and search, each with its cost.

Covers:     documents on their way, splitters, embedders, vectors, results.
Not here:   the limits of other floors (`limits`).
Holds:      numbers.
"""

from __future__ import annotations

from flatwater.units import KIB, MIB

INGEST_BLOCK_SLOTS = 32_768  # slots of one bitmap of what is live; 4 KiB of bits
INGEST_WIDTH_MAX = 16_384  # dimensions of a vector; 80 KiB of disk each
INGEST_APPEND_BYTES = 256 * KIB  # of f32 vectors, turned into i8 at a time; about three times as much is held
INGEST_COPY_BYTES = 1 * MIB  # of rows, copied into another generation at a time
INGEST_IDS_STEP = 4_096  # slots, the first id of which is kept: a byte for each 512; 32 KiB are read to look one up
INGEST_SCAN_BYTES = 512 * KIB  # of i8 rows, read at a time: more leaves the processor's second cache
INGEST_RESULTS_MAX = 1_000  # of one scan of vectors, before they are ranked with the words; candidates cost 16 B each
INGEST_CANDIDATES_MIN = 100  # of an i8 scan, looked at again in f32: one short read each
INGEST_CANDIDATES_PER_RESULT = 4  # where more than 25 results are asked for
INGEST_RESCORE_ROWS = 64  # candidates looked at in f32 at a time
INGEST_CHUNK_SIZE = 1_000  # characters of a chunk at most, unless told otherwise
INGEST_CHUNK_SIZE_MAX = 1_000_000  # characters or tokens; a splitter holds some fifty chunks, 80 B a character
INGEST_CHARACTERS_PER_TOKEN = 4  # that a chunk of tokens is begun with; one that has more tokens is divided once more
INGEST_SEGMENT_CHARACTERS = 128 * KIB  # that borders are ranked in at a time: about 80 B for each in the worst case
INGEST_DESCRIPTION_BYTES_MAX = 64 * KIB  # of corpus.json, which is read whole
INGEST_CACHE_BYTES = 4 * MIB  # of pages of the manifest in memory
INGEST_SQLITE_BYTES = 6 * MIB  # statements, a sorter, 1 MiB of terms that the index of words gathers
INGEST_BUSY_S = 10.0  # that one waits for another's short transaction
INGEST_COMMIT_BYTES = 8 * MIB  # of new texts in one transaction; as much stands in the write-ahead log
INGEST_COMMIT_S = 2.0  # after which a transaction ends, however small: what is done again after a kill
INGEST_STEP_ROWS = 5_000  # places that are read or removed at a time; some 600 KiB as rows
INGEST_CHUNK_BYTES = 4 * KIB  # that a chunk takes in memory with its place and names, about
INGEST_PIECE_BYTES = 64 * KIB  # of a document, read at a time
INGEST_TOGETHER_CHARACTERS = 64 * KIB  # of short texts that are split together
INGEST_TOGETHER_PARTS = 1_000  # of such texts, and ends of documents
INGEST_CUT_CHUNKS = 256  # of another's splitter, handed on together
INGEST_CUT_BYTES = 64 * KIB  # heap bytes of chunks of one document that are handed on together
INGEST_LOAD_TEXT_BYTES = 384 * KIB  # heap bytes of chunks that are looked up and embedded together
INGEST_LOAD_ROWS = 4_000  # the same in chunks and documents
INGEST_LOAD_BYTES = 4 * MIB  # of heap of such a load: texts, vectors of 384 dimensions, digests
INGEST_LOAD_BATCHES = 8  # calls of an embedder that a load is good for, at most
INGEST_LOAD_S = 1.0  # that these take together, if one of them does not take longer
INGEST_NOTE_CHARS_MAX = 500  # of what was wrong with a document, in the manifest
INGEST_PROBLEMS_KEPT_MAX = 100  # in a report; about 1.2 KiB each at most
INGEST_TIME_STEP_NS = 20_000_000  # of a file's time on a disk: one tick of the kernel, and some
INGEST_DEAD_SHARE = 0.25  # of slots without a chunk, from which on the vectors are written anew
INGEST_K = 10  # results of a search, unless told otherwise
INGEST_K_MAX = 1_000  # results of a search
INGEST_PLACES_MAX = 20  # of one text, in a result
INGEST_QUERY_CHARS_MAX = 8 * KIB  # of a query whose words are looked for; its vector is that of all of it
INGEST_CONDITIONS_MAX = 200  # values in the conditions of a search; SQLite nests 1,000 levels, and each takes some
INGEST_PATTERN_CHARS_MAX = 4_096  # of a pattern for sources: no path is longer
INGEST_QUERY_WORDS_MAX = 32  # of a query; each costs a list in the index of words
INGEST_SNIPPET_CHARS = 240  # of a result
INGEST_WIDTH = 384  # components of a hashed vector: 1.5 KiB as f32
INGEST_HASHING_BLOCK = 32 * KIB  # characters whose words are hashed at once; some 100 B each meanwhile, in the cache
INGEST_HASHING_FORMS = 18  # characters that one may become in its normal form: U+FDFA does
INGEST_HASHING_ROWS = 64  # texts of a block, 192 KiB of f64 sums at a width of 384
INGEST_HASHING_TEXTS = 256  # of one call: 384 KiB of vectors at a width of 384
INGEST_HASHING_BYTES = 256 * KIB  # of these
INGEST_EMBED_FAILED_MAX = 16  # texts in a row whose single call fails, behind which an embedder is given up
INGEST_EMBED_REFUSED_MAX = 64  # texts without a usable vector, behind which an embedder that never gave one is given up
INGEST_REASON_CHARS_MAX = 300  # of why a text has no vector
INGEST_CALL_TEXTS = 64  # of one call of a function or a server
INGEST_CALL_TEXTS_MAX = 2_048  # that may be asked for: OpenAI takes no more
INGEST_CALL_BYTES = 128 * KIB  # of these in UTF-8; a request is at most six times as long
INGEST_CALLS_MAX = 256  # at a time; a thread each
INGEST_HTTP_WORKERS = 4  # requests to a server that are under way
INGEST_HTTP_ANSWER_BYTES_MAX = 8 * MIB  # of one answer: 64 vectors of 4,096 numbers in JSON take 6 MiB
INGEST_HTTP_PART_BYTES = 64 * KIB  # of it, read at a time
INGEST_HTTP_CONNECTION_BYTES = 256 * KIB  # of a connection: TLS and buffers
INGEST_HTTP_CONNECT_S = 10.0  # to connect to a server
INGEST_HTTP_S = 120.0  # of a request, unless told otherwise: a model on a processor is slow
INGEST_HTTP_TRIES = 6  # of a request, the first one included
INGEST_HTTP_TRIES_MAX = 100  # that may be asked for
INGEST_HTTP_RETRY_S = 0.5  # before the second try; doubled before each further one
INGEST_HTTP_RETRY_S_MAX = 30.0  # between two tries, unless the server says
INGEST_HTTP_RETRY_AFTER_S_MAX = 120.0  # that a server may ask to wait
INGEST_HTTP_PER_S_MAX = 1_000_000  # requests in a second, which is no limit any more
INGEST_MINILM_TEXT_TOKENS = 256  # of a text that the model looks at; it was trained with 128
INGEST_MINILM_TEXT_CHARS = 16 * KIB  # of a text that are made tokens; 256 take 1,200 characters of English
INGEST_MINILM_TOKENS = 1_024  # computed at once: about 20 MiB of activations
INGEST_MINILM_ROWS = 32  # tokens whose inner layer is in the cache at once: 192 KiB, three times
INGEST_MINILM_TEXTS = 64  # of one call: 96 KiB of vectors
INGEST_MINILM_BYTES = 256 * KIB  # of these
INGEST_MINILM_RESULT_BYTES = 1 * MIB  # of the vectors of one call, pickled
INGEST_MINILM_LIMIT_BYTES = 240 * MIB  # of a process: it uses 115 MiB, and what is merely set aside counts, too
INGEST_MINILM_LIMIT_BYTES_MIN = 224 * MIB  # of it: OpenBLAS waits for ever for memory that it does not get
INGEST_MINILM_S = 600.0  # of one call, the start of the process included
INGEST_WEB_THREADS = 16  # of the page's server; a further connection waits until one of them is done
INGEST_WEB_THREAD_BYTES = 256 * KIB  # of one: its stack, a request of 64 KiB, its connection
INGEST_WEB_REQUEST_BYTES = 64 * KIB  # of a request with all its headers
INGEST_WEB_S = 5.0  # that a connection may say nothing: it has a thread meanwhile
INGEST_WEB_SEARCHES = 2  # at a time, some 20 MiB each; others wait
INGEST_WEB_WAIT_S = 5.0  # for their turn, behind which they are told to come again
INGEST_WEB_END_S = 0.5  # that Ctrl-C gives searches under way
INGEST_WEB_RETRY_S = 2  # that one is told to wait who comes at a bad time
INGEST_WEB_QUERY_CHARS = 1_000  # of a query, and of a pattern of sources
INGEST_WEB_RESULTS = 10  # of one search, unless told otherwise
INGEST_WEB_RESULTS_MAX = 50  # that may be asked for; up to 127 KiB each, nearly always 3
INGEST_WEB_TEXT_CHARS = 4 * KIB  # of a text; the page says that there is more
INGEST_WEB_METADATA = 20  # of a document's metadata are shown
INGEST_WEB_METADATA_CHARS = 200  # of each value
