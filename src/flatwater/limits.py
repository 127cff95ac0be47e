"""Every default bound, named, with what it costs.

Covers:     the limits of all floors, one section each; the relations between them, asserted with a reason.
Not here:   what a user sets (arguments), and measured facts (docs).
Holds:      integers.

Nothing here is `None` or infinite: a bound that cannot be named is not a bound.
"""

from __future__ import annotations

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
TIMELINE_POINTS_MAX = 2_048  # 4 numbers a point: 100 KiB a timeline, then it halves its resolution

TIMELINE_FRESH_MAX = 32  # samples kept before they are merged in; about 190 B each
MEASURES_MAX = 1_000  # open at once in one process; about 1 KiB each
MEASURE_TOP_LINES = 10  # allocating lines named with python=True
SAMPLER_LINGER_S = 2.0  # the sampling thread stays this long after the last measure: starting one costs about 100 us
READINGS_KEPT_MAX = 100  # of a measured function; about 600 B each
SIZE_OF_OBJECTS_MAX = 1_000_000  # visited by size_of; about 120 B each while it walks
SNAPSHOT_OBJECTS_MAX = 5_000_000  # counted by snapshot; about 60 B for each that the collector does not track
SNAPSHOT_ROWS_SHOWN = 15  # types in a printed table

# --- source: tables ---------------------------------------------------------------------------------------------------

TABLE_BATCH_BYTES = 8 * MIB  # of one batch, heap bytes; two are alive at a time: the one used, the one being built
TABLE_BATCH_ROWS = 1_000  # of one batch, at most
TABLE_BATCH_ROWS_MAX = 1_000_000  # that a batch may be asked for; its bytes bound it all the same
TABLE_PAGE_ROWS = 50  # of a page, unless told otherwise
TABLE_PAGE_ROWS_MAX = 10_000  # that a page may be asked for; its bytes bound it all the same
TABLE_PAGE_BYTES = 8 * MIB  # of a page, heap bytes; a page ends early in front of the row that does not fit
TABLE_QUERIES_KEPT = 32  # settled by one table: their generated code, about 10 KiB each
TABLE_CHUNK_BYTES = MIB  # of rows that arrive together from a server, by the widest of them
TABLE_CHUNK_ROWS = 256  # that arrive together, at most; more are no faster
TABLE_FIRST_ROWS = 32  # of a statement's first page, before it is known how wide rows are
TABLE_RANGES_MAX = 10_000  # parts of a table for parallel workers; about 300 B each
TABLE_COMMIT_ROWS = 500  # changed in one transaction; their changes, and locks on them
TABLE_UPDATE_TRIES = 3  # of a row that others change meanwhile; each reads it again
TABLE_BUSY_S = 10.0  # seconds to wait for another writer's lock on a SQLite file
SQLITE_CACHE_BYTES = 2 * MIB  # of pages, in SQLite's own cache, for each connection of ours
DRIVER_BYTES = 2 * MIB  # of a connection's buffers and prepared statements

# --- worker -----------------------------------------------------------------------------------------------------------

LIMIT_BYTES_MIN = 4 * MIB  # no interpreter starts below it
WORKER_LIMIT_BYTES = GIB  # of a worker process, unless told otherwise; untouched, a fresh one takes about 10 MiB
WORKER_TIMEOUT_S = 3_600.0  # of one call, unless told otherwise
WORKER_RESULT_BYTES_MAX = 256 * MIB  # pickled; the parent holds it twice while it reads
WORKER_STDERR_BYTES_MAX = 8 * KIB  # the end of a worker's error output, kept for its errors
WORKER_GRACE_S = 5.0  # for an idle worker to end by itself when it is closed
POOL_WORKERS_MAX = 256  # processes of one pool; about 10 MiB each
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
LAB_SMALL_NEEDS_BYTES = 256 * MIB  # of each experiment of a small run: an interpreter, and the small part

# --- tour -------------------------------------------------------------------------------------------------------------

TOUR_BUDGET_BYTES = 32 * MIB  # of all steps together, unless told otherwise
TOUR_STEP_S = 30.0  # a step reads for so long, unless told otherwise
TOUR_DEPTH_MAX = 32  # of directories below a root; 33 KiB each while they are open
TOUR_PIECE_BYTES = 32 * KIB  # of a file at a time; its words take up to 32 times as much
TOUR_TABLE_BYTES_MAX = 64 * MIB  # of the table of words; more words than people have written in all languages
TOUR_WORD_CHARS_MAX = 40  # longer runs of letters are counted apart; a word takes 240 B at most

assert RUN_TRACE_BYTES_MAX < GIB  # it is read whole when the program ends
assert TIMELINE_POINTS_MAX % 2 == 0  # it is halved by merging pairs
assert KIB < LIMIT_BYTES_MIN
assert WATCH_CRITICAL_SAMPLES * SAMPLE_PERIOD_S <= 0.040  # noqa: PLR2004 - of the promised 50 ms
