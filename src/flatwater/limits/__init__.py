"""Every default bound, named, with what it costs.

Covers:     the limits of all floors, one section each, those of two floors in files of their own; the relations between them, asserted with a reason.
Not here:   what a user sets (arguments), and measured facts (docs).
Holds:      integers.

Nothing here is `None` or infinite: a bound that cannot be named is not a bound.
"""

from __future__ import annotations

from flatwater.limits.adapters import *  # noqa: F403 - one name for all limits
from flatwater.limits.ingest import *  # noqa: F403 - the same
from flatwater.limits.lint import *  # noqa: F403 - the same
from flatwater.limits.live import *  # noqa: F403 - the same
from flatwater.limits.serving import *  # noqa: F403 - the same
from flatwater.limits.sync import *  # noqa: F403 - the same
from flatwater.units import GIB, KIB, MIB

# --- budget -----------------------------------------------------------------------------------------------------------

BUDGET_BYTES_MIN = 1  # a budget of 0 could hold nothing: refused as a mistake
BUDGET_RAM_SHARE = 0.5  # of physical memory, when nothing else limits the process
BUDGET_HOLDERS_MAX = 1_000  # names remembered by one budget, beside those that hold something now; about 400 B each
BUDGET_HOLDERS_SHOWN = 8  # named in a refusal, largest first
BUDGET_WAITERS_MAX = 10_000  # in one queue; about 300 B each
BUDGET_SHEDDERS_MAX = 1_000  # of one budget; about 400 B each
WAIT_S_MAX = 86_400  # seconds anybody may wait for bytes: a day. Who waits longer is stuck
GATE_WAIT_S = 3_600.0  # seconds a source waits at a closed gate, unless told otherwise
SHED_WAIT_S = 0.5  # seconds a thread waits for a shedder that another thread runs

# --- meter ------------------------------------------------------------------------------------------------------------

SAMPLE_PERIOD_S = 0.010  # one pread of statm (about 1.2 us) each
SAMPLE_PERIOD_S_MIN = 0.001  # a sleep that is shorter is not exact
SAMPLE_PERIOD_S_MAX = 3_600  # an hour: a period that is longer is a mistake
TIMELINE_POINTS_MAX = 2_048  # 4 numbers a point: 100 KiB a timeline, then it halves its resolution

TIMELINE_FRESH_MAX = 32  # samples kept before they are merged in; about 190 B each
MEASURES_MAX = 1_000  # open at once in one process; about 1 KiB each
MEASURE_TOP_LINES = 10  # allocating lines named with python=True
SAMPLER_LINGER_S = 2.0  # the sampling thread stays this long after the last measure: starting one costs about 100 us
READINGS_KEPT_MAX = 100  # of a measured function; about 600 B each
SIZE_OF_OBJECTS_MAX = 1_000_000  # visited by size_of; about 120 B each while it walks
SNAPSHOT_OBJECTS_MAX = 5_000_000  # counted by snapshot; about 60 B for each that the collector does not track
SNAPSHOT_ROWS_SHOWN = 15  # types in a printed table

# --- worker -----------------------------------------------------------------------------------------------------------

LIMIT_BYTES_MIN = 4 * MIB  # no interpreter starts below it
WORKER_LIMIT_BYTES = GIB  # of a worker process, unless told otherwise; untouched, a fresh one takes about 10 MiB
WORKER_TIMEOUT_S = 3_600.0  # of one call, unless told otherwise
WORKER_RESULT_BYTES_MAX = 256 * MIB  # pickled; the parent holds it twice while it reads
WORKER_STDERR_BYTES_MAX = 8 * KIB  # the end of a worker's error output, kept for its errors
WORKER_GRACE_S = 5.0  # for an idle worker to end by itself when it is closed
POOL_WORKERS_MAX = 256  # processes of one pool; about 10 MiB each
POOL_CALLS_MAX = 1_000  # of one worker before it is replaced, unless told otherwise: what it leaks is bounded
POOL_WAITING_PER_WORKER = 2  # calls that wait in a pool beside those that run; submitting more blocks

# --- watch ------------------------------------------------------------------------------------------------------------

WATCH_HIGH_SHARE = 0.85  # of the limit: above it for WATCH_HIGH_HOLD_S, the level is high
WATCH_CRITICAL_SHARE = 0.95  # of the limit: above it for WATCH_CRITICAL_SAMPLES, the level is critical
WATCH_LEAVE_GAP = 0.05  # of the limit: a level is left this much below where it is entered
WATCH_HIGH_HOLD_S = 0.5  # a shorter visit is a spike; there is room for one above the high threshold
WATCH_CRITICAL_SAMPLES = 3  # in a row, half a period apart: 10 to 20 ms of the 50 ms until shedders run
WATCH_LEAVE_HOLD_S = 0.1  # below the leaving threshold before a level is left
WATCH_RECHECK_BLOCKS_MAX = 200_000  # allocated Python blocks up to which a re-check collects all generations: ~10 ms
WATCH_RECHECK_TIME_SHARE = 0.05  # of the time may go into re-checks that found a mere spike
WATCH_SHED_AGAIN_S = 0.05  # between sheds at critical, while shedders give: growth that outruns one helping
WATCH_TRIM_AGAIN_S = 0.5  # between collections and trims at critical, while they give: 30 to 100 ms each
WATCH_REST_S = 10.0  # after the whole ladder, before it is climbed again
WATCH_SLOW_READ_PERIOD_S = 0.1  # between looks at children and the control group; 0.1 to 0.3 ms each
WATCH_SLOW_READ_TIME_SHARE = 0.002  # of the time may go into them, however many children there are
WATCH_POINTS_MAX = 512  # of each of three histories; 32 B each: 48 KiB
WATCH_RECENT_S = 30.0  # of the newest history, at about 0.1 s a point; two of them are kept
WATCH_EVENTS_MAX = 256  # remembered; about 1,200 B each
ONLOOK_POINTS_MAX = 512  # of the curve of a process that is watched from outside; 32 B each
ONLOOK_PERIOD_S = 0.1  # between two looks, however seldom they are shown
ONLOOK_INTERVAL_S_MIN = 0.05  # between two looks at it: each costs up to a millisecond
ONLOOK_INTERVAL_S_MAX = 3_600.0  # an hour: with longer pauses there is nothing to forecast from
ALERTS_EVERY_S = 300.0  # between two alerts to one target, unless memory gets worse
ALERTS_WAITING_MAX = 16  # alerts that a slow target has not taken yet; 8 KiB each
ALERTS_TIMEOUT_S = 10.0  # for a webhook to connect, and to answer
ALERTS_FLUSH_S = 15.0  # that who ends waits for the last alert: a webhook's time, and a bit
ALERTS_EVENTS = 5  # of the watcher's newest in an alert; 500 characters each
WATCH_CALLBACKS_MAX = 64  # on_level callbacks; a reference each
WATCH_EVIDENCE_BYTES_MAX = 256 * KIB  # of one evidence file
WATCH_EVIDENCE_FILES_MAX = 8  # kept by one watcher; the oldest is deleted
WATCH_EVIDENCE_BLOCKS_MAX = 2_000_000  # allocated blocks up to which objects are counted by type: 16 MB for a moment
WATCH_SILENT_S = 0.25  # without a heartbeat, before the separate process takes the watched one for stuck
WATCH_SENTINEL_SAMPLES_MAX = 1_024  # kept by the separate process: 10 s, about 200 B each

# --- run --------------------------------------------------------------------------------------------------------------

RUN_LINGER_S = 5.0  # how long what a program leaves behind is still measured after the program ended
RUN_GRACE_S = 10.0  # between a forwarded SIGTERM and SIGKILL
RUN_PROCESSES_MAX = 4_096  # of one tree, followed at a time; 200 B each
RUN_SUSPECTS_MAX = 10  # lines named in a report
RUN_SUSPECTS_KEPT_MAX = 2_000  # lines remembered while a program runs; about 2 KiB each with its stack
RUN_ASKS_PENDING_MAX = 64  # unanswered asks of one process; the oldest are given up
PROFILE_CONVERT_S = 600  # to turn a recording into a profile, in a child
RUN_TRACE_BYTES_MAX = 4 * MIB  # of stack dumps a traced program may leave in its temporary file

# --- proof ------------------------------------------------------------------------------------------------------------

PROOF_SIZES_MAX = 12  # of one scenario; a process each
PROOF_N_MAX = 10**15  # items; beyond it, bytes per item are no figure any more
PROOF_DOUBLINGS_MAX = 4  # beyond the largest size, where the verdict is not firm: up to 16 times as many items
PROOF_POINT_TIMEOUT_S = 120.0  # of one run of a scenario, unless told otherwise
PROOF_EXTENSION_S_MAX = 60.0  # a further size is not run if it would take longer than this, going by the last ones
PROOF_RESOLUTION_BYTES = 16  # per item: a constant that could not have seen this much is no pass without a target
PROOF_OUTPUT_BYTES_MAX = 256 * MIB  # that one run may print; it is read and thrown away
PROOF_TAIL_BYTES_MAX = 8 * KIB  # of its error output, kept for the error
PROOF_MADE_BYTES_MAX = 256 * MIB  # that a set-up may hand to its scenario, pickled; it is part of the base
PROOF_MEMORY_SHARE = 0.8  # of the memory available at its start that one run may take before it is ended
PROOF_REPEAT_COMMAND = 3  # runs of a command at each size: other languages' collectors scatter
PROOF_REPEAT_MAX = 100  # runs at each size
PROOF_SCENARIOS_MAX = 100  # in one call of the command
PROOF_BASELINE_BYTES_MAX = 64 * MIB  # of a baseline file; some kilobytes a scenario
COMPARE_SCENARIOS_MAX = 20  # side by side; a dozen processes each
COMPARE_NAME_LETTERS_MAX = 120  # of one scenario; it heads a row

# --- leaks ------------------------------------------------------------------------------------------------------------

LEAK_ROUNDS = 8  # each costs a run of the action, a full collection and, where something grew, a census or two
LEAK_ROUNDS_MAX = 10_000  # a few KiB each: what was counted after it
LEAK_WARMUP = 2  # imports on demand, caches that fill once
LEAK_WARMUP_MAX = 1_000_000  # rounds that nothing is kept of
LEAK_TIMEOUT_S = 120.0  # of a hunt in a process of its own, unless told otherwise
LEAK_LIMIT_BYTES = 4 * GIB  # of that process; untouched, it takes about 20 MiB
LEAK_REPORT_BYTES_MAX = 16 * MIB  # that it may hand back; a hundred leaks with their parts take a tenth of it
LEAK_LARGE_OBJECTS = 5_000  # a round: where so many stay, evenly, 3 looks are enough; 8 take about 15 s for each 10,000
LEAK_OBJECTS_MAX = 5_000_000  # looked at in one census or one walk; about 110 B each until it is dropped
LEAK_GARBAGE_MAX = 3_000_000  # objects of one round's garbage, kept for a look; they, and about 100 B each
LEAK_SEARCHED_MAX = 2_000_000  # objects gone through for an example of a cycle; about 100 B each
LEAK_ENTRIES_MAX = 200_000  # of a container, looked at for the place of an object; nothing is kept of them
LEAK_DESCRIPTORS_MAX = 65_536  # looked at after a round; two system calls each
LEAKS_KEPT_MAX = 100  # rows of one hunt, those with the most bytes; about 1 KiB each
LEAK_PARTS_MAX = 20  # types kept below one row; about 100 B each

# --- testing ----------------------------------------------------------------------------------------------------------

TESTING_TOP_MAX = 1_000  # rows of --mem-top; about 300 B each
TESTING_RECORDS_MAX = 100  # log records and warnings of a kind kept while a call is measured; about 1 KiB each
TESTING_SECTION_CHARS_MAX = 64 * KIB  # of one captured stream that is shown again: its end
TESTING_REPORT_CHARS_MAX = MIB  # of one test's failure, carried back from its point; more is no longer read by anybody

# --- lab --------------------------------------------------------------------------------------------------------------

LAB_TIMEOUT_S = 120.0  # of one program of the lab; the longest takes some 12 s of CPU
LAB_NAMES_MAX = 1_000_000  # tried until the interpreter's table of names has grown; about 1 us each, none is kept
LAB_SMALL_NEEDS_BYTES = 256 * MIB  # of each experiment of a small run: an interpreter, and the small part

# --- tour -------------------------------------------------------------------------------------------------------------

TOUR_NOTES_BYTES = 4 * MIB  # that are read of what a tour wrote down; a step writes about 2 KiB
TOUR_CURVE_POINTS = 192  # of the curve of a step; 32 B each
TOUR_NAIVE_S = 20.0  # seconds for the naive twin of a step
TOUR_BUDGET_BYTES = 136 * MIB  # of all steps together, unless told otherwise: the documents' process, 72 MiB beside it
TOUR_STEP_S = 10.0  # a step reads for so long, unless told otherwise; it is done twice
TOUR_DEPTH_MAX = 32  # of directories below a root; 33 KiB each while they are open
TOUR_PIECE_BYTES = 32 * KIB  # of a file at a time; its words take up to 32 times as much
TOUR_TABLE_BYTES_MAX = 64 * MIB  # of the table of words; more words than people have written in all languages
TOUR_ROWS = 1_000_000  # of the table that it reads; 53 MB of temporary files
TOUR_BATCH_BYTES = MIB  # of its rows; two batches are alive at a time
TOUR_PAGE_ROWS = 150_000  # of them in a page of HTML; 14 MB of temporary files
TOUR_STORE_BYTES = 32 * MIB  # of pages of a store that it fills; some 200,000 rows
TOUR_MIRROR_BYTES = 32 * MIB  # of files that it mirrors; on a disk
TOUR_MIRROR_OWN_BYTES = 256 * MIB  # of files of its own that it mirrors; on a disk
TOUR_MIRROR_NAMES = 500  # of folders and files that it mirrors; a pattern each
TOUR_INGEST_FILES = 5_000  # that it ingests at most; 200 B each as names
TOUR_LIVE_BYTES = 32 * MIB  # of pages of a live table's file that it fills; some 32,000 rows and their log
TOUR_LIVE_WAITING = 5_000  # subscriptions of users who wait meanwhile; 2 KiB each
TOUR_LIVE_LATE = 100  # more of a user who writes, which are not read until the end; 2 KiB each
TOUR_SERVE_BYTES = 8 * MIB  # of pages of a served table's file that it fills
TOUR_SERVE_ROWS = 2_000  # that it serves while they change
TOUR_SUBSCRIBERS = 1_000  # connections that follow these; some 6 KiB each in the server
TOUR_SUBSCRIBERS_BYTES = 24 * MIB  # of the process that has them: an interpreter, and what came and was not read
TOUR_BROWSER_S = 20.0  # that a browser has to start, to show a page, to answer
TOUR_BROWSER_SAID_BYTES = 4 * MIB  # of one answer of it; more is given up
TOUR_BROWSER_CONNECTIONS = 8  # that it opens beside the subscribers
TOUR_STATE_BYTES = 4 * MIB  # of pages of the file of that mirror's state
TOUR_WORKER_BYTES = 64 * MIB  # of the process that reads PDF, HTML and DOCX; the documents of a machine took 30 MiB
TOUR_WORD_CHARS_MAX = 40  # longer runs of letters are counted apart; a word takes 240 B at most

# --- build ------------------------------------------------------------------------------------------------------------

BUILD_FIELDS_MAX = 10_000  # of one schema; about 1 KiB each in the code that is generated
BUILD_NAME_CHARS_MAX = 1_000  # of one field: longer ones are data
BUILD_POOLED_MAX = 1_000  # in all pools together; 80 B for one of five fields, and 18 B for its place
BUILD_POOLS_BYTES_MAX = 100_000  # of all pools together, builders and the lists that hold them
BUILD_BATCH_BYTES = 8 * MIB  # of the rows gathered; with Arrow as much again for the record batch
BUILD_BATCH_BYTES_MIN = 4 * KIB  # less is a row at a time
BUILD_BATCH_ROWS_MAX = 1_000_000  # of one batch, whatever they weigh
BUILD_PATHS_MAX = 1_000  # of one picker; about 300 B each
BUILD_PATH_DEPTH_MAX = 32  # parts of one path: as deep as the generated functions call each other
BUILD_PATH_CHARS_MAX = 10_000  # of one path: longer ones are data
BUILD_CLASSES_MAX = 64  # classes that one picker knows the fields of; a reference each
BUILD_PROBLEMS_MAX = 1_000  # of one object that are told; about 300 B each
BUILD_NESTED_MAX = 16  # levels of structs and lists in one column

# --- source: files ----------------------------------------------------------------------------------------------------

FILES_CHUNK_BYTES = 256 * KIB  # of one chunk, unless told otherwise; smaller ones cost time, larger ones memory
FILES_CHUNK_BYTES_MAX = 1024 * MIB  # of one chunk
FILES_BLOCK_BYTES = 64 * KIB  # read at once where chunks are smaller, and between two looks at the budget's gate
FILES_GATE_PERIOD_S = 0.2  # between looks of one who waits at a closed gate, whether it was closed itself
FILES_INPUT_BYTES = 64 * KIB  # of compressed bytes, or of an encoding's, taken at a time
FILES_OBJECTS_AT_ONCE = 500  # names of a page of an object store's listing; about 300 KiB
FILES_REMOTE_BYTES = 1 * MIB  # asked of a remote file at a time
FILES_REMOTE_AHEAD_BYTES = 8 * MIB  # that a library and the network hold of a remote file beside that; seen: 6 MB
FILES_WINDOW_BYTES_MAX = 128 * MIB  # a decompressor may need: xz -9 takes 65 MiB, zstd --long=27 takes 128 MiB
FILES_EXPANSION_MAX = 2_000_000  # decoded bytes for each compressed one; zeros in bz2 reach 850,000
FILES_EXPANSION_FLOOR_BYTES = 1 * MIB  # decoded bytes before the ratio is looked at
FILES_FOLLOW_POLL_S = 0.2  # between looks at a file that is followed and has nothing new: a read and a stat
FILES_NOTES_MAX = 100  # of one source, the newest; about 200 B each
FILES_RANGES_MAX = 100_000  # that one file is split into; about 1 KiB each
FILES_LINE_WINDOW_BYTES = 32 * KIB  # of text split at a time; its lines take up to 24 times as much
FILES_LINE_BYTES = 1 * MIB  # of the longest line or record, unless told otherwise
FILES_LINE_BYTES_MAX = 1024 * MIB  # of the longest line or record
FILES_BAD_ROWS_KEPT = 100  # of one report, unless told otherwise; about 600 B each
FILES_BAD_ROWS_KEPT_MAX = 10_000  # the same
FILES_REASON_CHARS_MAX = 300  # of what is kept about one bad row
FILES_BATCH_BYTES = 8 * MIB  # heap bytes of one batch of records, unless told otherwise
FILES_BATCH_ROWS = 10_000  # of one batch of records, unless told otherwise
FILES_BATCH_ROWS_MAX = 10_000_000  # the same; a list entry is 8 B
FILES_PAGES_BYTES = 4 * MIB  # of one column of Parquet: a stored page, the same unpacked, a dictionary; 1 MiB is usual
FILES_PARQUET_BATCH_BYTES = 1 * MIB  # of one record batch
FILES_PARQUET_ROWS = 4_096  # of one record batch
FILES_PARQUET_HEAP_RATIO = 24  # heap bytes of rows for each byte of a record batch; small numbers take most
FILES_JSON_HEAP_RATIO = 32  # the same for JSON: "{}" takes 88 B
FILES_LONG_HEAP_RATIO = 8  # bytes that one long row takes as objects for each of its bytes; long ones are mostly text

# --- source: documents ------------------------------------------------------------------------------------------------

DOCUMENT_PIECE_BYTES = 64 * KIB  # of one piece as UTF-8, unless told otherwise; up to four times as much in memory
DOCUMENT_PIECE_BYTES_MIN = 16  # a border is looked for in its second half
DOCUMENT_PIECE_BYTES_MAX = 4 * MIB  # of one piece; reading holds about fourteen times as much
DOCUMENT_WORKER_LIMIT_BYTES = 128 * MIB  # of the process that reads PDF, HTML, DOCX; untouched, it takes about 25 MiB
DOCUMENT_WORKER_LIMIT_BYTES_MIN = 40 * MIB  # below it the libraries do not load
DOCUMENT_PAGE_BYTES_MAX = 1 * MIB  # of the text of one page, for which PDFium takes about a hundred times as much
DOCUMENT_PAGE_TIMEOUT_S = 30.0  # for one page, or for 64 KiB of HTML or DOCX
DOCUMENT_EXPANDED_BYTES_MAX = GIB  # of one DOCX, unpacked; it costs time only, about 15 s
DOCUMENT_NAMES_BYTES_MAX = 4 * MIB  # of names, in all directories that are open at a time; about 40,000 names
DOCUMENT_DEPTH_MAX = 128  # of directories below a root; about 1 KiB each beside their names
DOCUMENT_HEAD_BYTES = 64 * KIB  # of a file, looked at to tell what it is and how it is encoded
DOCUMENT_WINDOW_BYTES_MIN = 256 * KIB  # of a file: more at a time costs memory and saves no processor time
DOCUMENT_HOLE_BYTES = 512  # zeros in a row from which they are a hole and no text
DOCUMENT_PROBLEMS_KEPT_MAX = 100  # of one reader; a path and REASON_CHARS_MAX characters each
DOCUMENT_REASON_CHARS_MAX = 300  # of one problem; about 1.2 KiB at most
DOCUMENT_LUMP_BYTES = 256 * KIB  # of pieces in one answer: more saves nothing beside the child's call
DOCUMENT_LUMP_S = 0.2  # after which a call of the child ends with what it has: the time-out is about one page
DOCUMENT_START_S_MAX = 60.0  # for the child to start and import, on a busy machine
DOCUMENT_NOTES_BYTES_MAX = 64 * KIB  # of the rest of an answer
DOCUMENT_PAGES_AT_ONCE = 64  # in one call: so many are asked for one by one after a child died, 5 ms each
DOCUMENT_DEATHS_MAX = 20  # of children by one document: each costs a start, and up to a time-out
DOCUMENT_REOPEN_PAGES = 2_000  # after which a document is opened anew: its list of pages is read again, page by page
DOCUMENT_REOPEN_PAGES_MIN = 100  # or after so many, if the process grew by
DOCUMENT_REOPEN_GROWTH_BYTES = 16 * MIB  # fonts and the like that PDFium remembers
DOCUMENT_MISSING_PAGES_MAX = 1_000  # in a row that are not there: a file of 100 bytes may say it has a million
DOCUMENT_CHARACTERS_AT_ONCE = 64 * KIB  # copied out of PDFium at a time; 128 KiB
DOCUMENT_MARKUP_PART_BYTES = 64 * KIB  # of the file, decoded at a time
DOCUMENT_STACK_BYTES = 1 * MIB  # of the thread that parses: its address space counts for the child's limit
DOCUMENT_WORD_PART_BYTES = 64 * KIB  # of a member, unpacked and fed to the parser at a time
DOCUMENT_DIRECTORY_BYTES_MAX = 1 * MIB  # of a zip's list of names: some 10,000 members, 6 MiB while it is open

# --- source: page guard -----------------------------------------------------------------------------------------------

GUARD_ROWS = 1_000  # of a guarded query, unless told otherwise
GUARD_BYTES = 8 * MIB  # heap bytes of its rows, unless told otherwise: 8 KiB a row
GUARD_BATCH_ROWS_MAX = 32  # asked for at a time where each question is a round trip; the first questions are smaller
GUARD_BATCH_BYTES = 256 * KIB  # of rows as large as the last one
GUARD_CHUNK_ROWS = 4  # that libpq has at a time: alone, a row costs more than twice as much
GUARD_BLOCK_ROWS = 8  # weighed at a time: so many may be beside those that were counted
GUARD_SHOWN_CHARS_MAX = 120  # of a statement in an error

# --- source: tables ---------------------------------------------------------------------------------------------------

TABLE_BATCH_BYTES = 8 * MIB  # of one batch, heap bytes; two are alive at a time: the one used, the one being built
TABLE_BATCH_ROWS = 1_000  # of one batch, at most
TABLE_BATCH_ROWS_MAX = 1_000_000  # that a batch may be asked for; its bytes bound it all the same
TABLE_PAGE_ROWS = 50  # of a page, unless told otherwise
TABLE_PAGE_ROWS_MAX = 10_000  # that a page may be asked for; its bytes bound it all the same
TABLE_PAGE_BYTES = 8 * MIB  # of a page, heap bytes; a page ends early in front of the row that does not fit
TABLE_QUERIES_KEPT = 32  # settled by one table: their generated code, about 10 KiB each
TABLE_JOIN_ROWS_MIN = 64  # of a page that is read as columns; for fewer, the statement costs more than the rows
TABLE_JOIN_BATCHES = 8  # that are read as columns at once, where their bytes allow it
TABLE_JOIN_BYTES = 512 * KIB  # of such a page as text; more is no faster
SQLITE_TEXT_BYTES_MIN = 64 * KIB  # that such a page may have at least; in SQLite, and beside it
TABLE_CHUNK_BYTES = MIB  # of rows that arrive together from a server, by the widest of them
TABLE_CHUNK_ROWS = 256  # that arrive together, at most; more are no faster
TABLE_FIRST_ROWS = 32  # of a statement's first page, before it is known how wide rows are
TABLE_RANGES_MAX = 10_000  # parts of a table for parallel workers; about 300 B each
TABLE_COMMIT_ROWS = 500  # changed in one transaction; their changes, and locks on them
TABLE_UPDATE_TRIES = 3  # of a row that others change meanwhile; each reads it again
TABLE_BUSY_S = 10.0  # seconds to wait for another writer's lock on a SQLite file
TABLE_CREATE_ROWS = 5_000  # of one transaction of create_many, unless told otherwise; 0.1 s in a server
TABLE_INSERT_ROWS = 250  # of one INSERT; more are no faster
TABLE_INSERT_VALUES_MAX = 30_000  # of one INSERT: PostgreSQL takes 65,535, some drivers half of it
TABLE_COPY_ROWS = 2_000  # of one COPY; tried again by INSERT, one by one, where one is refused
TABLE_STATE_BYTES_MAX = MIB  # of the state that a job leaves beside its rows; three of them are reserved
SQLITE_VALUES_MAX = 900  # of one INSERT: SQLite before 3.32 takes 999
SQLITE_CACHE_BYTES = 2 * MIB  # of pages, in SQLite's own cache, for each connection of ours
DRIVER_BYTES = 2 * MIB  # of a connection's buffers and prepared statements

# --- store ------------------------------------------------------------------------------------------------------------

STORE_BATCH_BYTES = 8 * MIB  # of one batch, heap bytes; two are alive at a time: the one used, the one being built
STORE_CLEAR_BYTES = 1 * MIB  # of one batch of entries that are deleted
STORE_BATCH_ROWS = 1_000  # of one batch, at most
STORE_BATCH_ROWS_MAX = 1_000_000  # that a batch may be asked for; its bytes bound it all the same
STORE_COMMIT_ROWS = 500  # changed in one transaction of update_each; LMDB copies about a page for each scattered key
STORE_HEAP_RATIO = 32  # heap bytes that a byte of typed values is taken for, until the first ones were weighed
STORE_COMMIT_BYTES = 2 * MIB  # of keys and values that go without asking the budget, beside a page for each of 500
STORE_GATHERED_BYTES = 2 * MIB  # of keys and values that update_each gathers before it writes, whatever their number
STORE_WRITE_BYTES_MAX = 64 * MIB  # of keys and values in one write: it is one transaction
STORE_MAP_BYTES = GIB  # of address space, no memory, that an LMDB file may fill before the map is doubled
STORE_READERS_MAX = 1_024  # read transactions at once, of all processes; 64 B each in LMDB's lock file
STORE_LMDB_BYTES = 1 * MIB  # of LMDB's own: the environment, a cached transaction, the list of free pages
STORE_KEYS_AT_ONCE = 2_000  # walked in one short transaction, where only keys are wanted; at most 1.1 MB
STORE_REWRITE_BYTES = 4 * MIB  # written in one transaction of a compaction
STORE_UPDATE_TRIES = 20  # of an entry that others change meanwhile; each reads it again
STORE_RANGES_MAX = 10_000  # parts of a partition for workers; about 300 B each
STORE_DESCRIPTION_BYTES_MAX = 64 * KIB  # of store.json; it has about 60 B
STORE_LOCK_S = 2.0  # seconds to wait for another process to let go of a store
STORE_READERS_PERIOD_S = 10.0  # between looks at read transactions that stay open, after a write; about 30 us each
STORE_READER_OLD_S = 60.0  # a read transaction that is open for longer is reported
STORE_COMPACT_SHARE = 0.2  # of a file that is free, from which a compaction pays
STORE_COMPACT_BYTES_MIN = 1 * MIB  # that it would give back
STORE_NAME_BYTES_MAX = 200  # of a partition's name as UTF-8: it is part of a key
STORE_KEY_BYTES_MAX = 64 * KIB  # of one key as bytes; LMDB reads one more entry for each 480 B of it
STORE_FINDINGS_MAX = 100  # of one check; damage is in few places, or everywhere
STORE_DUMP_BATCH_BYTES = 512 * KIB  # heap bytes of entries that a dump reads, or a load writes, at once
STORE_DUMP_LINE_BYTES = 8 * MIB  # of the longest line of a dump, unless told otherwise; six times as much is reserved
ROCKSDB_CACHE_BYTES = 32 * MIB  # of blocks, indexes, filters and write buffers; more means fewer reads of the files
ROCKSDB_WRITE_BUFFER_BYTES = 4 * MIB  # of one write buffer, in the cache; a smaller one means more and smaller files
ROCKSDB_WRITE_BUFFERS = 3  # one is written to, the others are on their way to the disk; a writer waits if all are full
ROCKSDB_BACKGROUND_JOBS = 2  # a flush and a compaction; each takes 2 MiB and half a file
ROCKSDB_OPEN_FILES = 256  # table files that stay open; 8 KiB each, outside of the cache
ROCKSDB_COUNTED_MAX = 50_000  # entries that are counted one by one before their number is estimated; about 25 ms
ROCKSDB_STALL_S = 60.0  # seconds that a writer waits for a write buffer to reach the disk
STORE_PARTITIONS_MAX = 2_000_000  # of one store; about 150 B each once used

# --- flows ------------------------------------------------------------------------------------------------------------

FLOW_BATCH_BYTES = 256 * KIB  # of a batch between two stages, heap bytes; larger ones leave the processor's cache
FLOW_BATCH_ROWS = 1_000  # of a batch, at most
FLOW_LARGE_BYTES = 16 * KIB  # of an item from which on it goes from stage to stage by itself
FLOW_GROUP_BYTES = 1 * MIB  # of a list that `batch` makes
FLOW_ROWS_MAX = 1_000_000  # that a batch may be asked for; its bytes bound it all the same
FLOW_WINDOW_MAX = 100_000  # neighbours in one window
FLOW_PARALLEL_BYTES = 8 * MIB  # of items under way and results that wait, in a pmap
FLOW_PARTS_MAX = 128  # of these; a part has 1 to 64 items
FLOW_WORKERS_MAX = 256  # threads of a pmap; each takes some 100 KiB of stack when it is used
FLOW_WORKER_BYTES = 112 * MIB  # limit of a pmap's process: numpy allocates 75, and uses 20; two fit into 256 MiB
FLOW_WORKER_START_S = 120.0  # for such a process to start and load its function
FLOW_ARENA_BYTES = 1 * MIB  # of shared memory to such a process, and back, that is kept; large items take more
FLOW_WORKER_KEPT_BYTES = 4 * MIB  # freed memory that such a process keeps for its next part, within its limit
FLOW_ITEM_S = 600.0  # that a call in such a process may take, unless told otherwise
FLOW_FAILURES_KEPT = 100  # of the items that were passed over; the others are counted
FLOW_FAILURE_BYTES = 1 * KIB  # of one of them: four short texts
FLOW_ROW_GROUP_BYTES = 4 * MIB  # of a row group of a Parquet file, as columns
FLOW_ARROW_BYTES = 16 * MIB  # of Arrow's pools, and of its code that is used for the first time; 7 to 13 MiB were seen
FLOW_TRANSACTION_BYTES = 1 * MIB  # heap bytes of rows that a table's transaction has before it is committed
FLOW_TRANSACTION_ROWS = 5_000  # the same in rows
FLOW_SINK_WAIT_S = 600.0  # that a flow waits for room in a queue that it writes to
FLOW_DEAD_LETTER_BYTES = 16 * MIB  # of an item in a file of dead letters; larger ones are only told of
FLOW_LOOK_S = 0.1  # that a source waits for more before it looks whether the run is to end; about 20 us each
FLOW_CLOSE_S = 10.0  # that a run which ends waits for an asynchronous source to close what it has open
FLOW_SERVER_S = 10.0  # that a server of a stream may take to answer
FLOW_CHECKPOINT_S = 5.0  # between two checkpoints: what is done again after a kill
FLOW_DASK_PARTITION_BYTES = 8 * MIB  # of a source that one task of Dask reads: bytes of a file, heap bytes of items
FLOW_DASK_PARTITIONS_MAX = 1_000  # that are under way at a time; a key and a future each here, about 2 KiB
FLOW_DASK_WINDOW_BYTES = 16 * MIB  # of functions and items on their way to a cluster, pickled
FLOW_DASK_RESULT_BYTES = 8 * MIB  # pickled, after which a task pauses and sends back what it has
FLOW_DASK_CHECKPOINT_BYTES = 256 * KIB  # the same in a run with a checkpoint, whose sinks commit between two results
FLOW_DASK_RESULT_BYTES_MAX = 16 * MIB  # of such a result, with what the last batch became
FLOW_DASK_TABLE_ROWS = 10_000  # of a table that one task reads, about
FLOW_DASK_WORKER_SHARE = 0.5  # of a worker's memory that its tasks may promise; the rest is what results wait in
FLOW_DASK_RETRIES = 2  # of a task that could not be begun or sent back, beside those whose worker died
FLOW_DASK_WAIT_S = 60.0  # for a first worker, and while there is none
FLOW_SORT_BYTES = 16 * MIB  # of a sort's items in memory; 64 runs of so many, 1 GiB, are merged in one pass
FLOW_SORT_RUNS_AT_ONCE = 64  # merged in one pass: a block of each is in memory, of a 68th of the bytes
FLOW_SORT_RUNS_MAX = 256  # of one level before they are merged into fewer; about 200 B each
FLOW_DISTINCT_BYTES = 16 * MIB  # of digests in memory: some 95,000 keys, and a filter; those before are on disk
FLOW_DISTINCT_RUNS_MAX = 8  # of one level before they are merged: each is looked into for a new key
FLOW_MERGE_MAX = 64  # flows in one merge
FLOW_CHECKPOINT_BYTES = 64 * MIB  # of the file of a checkpoint: what stages carry over

assert RUN_TRACE_BYTES_MAX < GIB  # it is read whole when the program ends
assert SAMPLE_PERIOD_S_MIN <= SAMPLE_PERIOD_S <= SAMPLE_PERIOD_S_MAX
assert TIMELINE_POINTS_MAX % 2 == 0  # it is halved by merging pairs
assert KIB < LIMIT_BYTES_MIN
assert WATCH_CRITICAL_SAMPLES * SAMPLE_PERIOD_S <= 0.040  # noqa: PLR2004 - of the promised 50 ms
