"""Bounds of syncs, each with its cost.

Covers:     listings, states, copying, each kind of remote.
Not here:   the limits of other floors (`limits`).
Holds:      numbers.
"""

from __future__ import annotations

from flatwater.units import GIB, KIB, MIB

SYNC_NAMES_BYTES = 4 * MIB  # of names in memory, of all folders on the way to a file; 20,000 of 10 B
SYNC_SORT_BYTES = 6 * MIB  # in which the names of larger folders are sorted: half of it, half of the rest, and so on
SYNC_BATCH = 1_000  # files that a listing gives at a time
SYNC_BATCH_BYTES = 512 * KIB  # of these, with their paths: fewer are given where paths are long
SYNC_FILE_BYTES = 4 * KIB  # of a file that is open for reading or writing, beside its bytes
SYNC_RANGES_MAX = 256  # parts of a listing that are listed side by side; a place in each is in the state
SYNC_RANGES_EACH = 4  # of these for each thread that lists: one page of each is listed in vain in object stores
SYNC_WAITING = 8  # batches that wait to be looked at, of all listings together
SYNC_PAGE_BYTES = 1 * MIB  # heap bytes of a page of records; two of them for each range that is listed
SYNC_STORE_BYTES = 8 * MIB  # of the store of a state, which says so when it is opened
SYNC_WRITE_BYTES = 8 * MIB  # of one transaction of a state: its rows in three partitions, a page each
SYNC_WALKS_MAX = 300  # over a state at once: one for each part of a listing
SYNC_COMMIT_ROWS = 500  # changes of one write of a state; about a page of LMDB each, and one for their work
SYNC_RECORD_S = 5.0  # between two places in a listing: what is listed again after a kill
SYNC_COMMIT_S = 1.0  # between two writes of what was copied: what is copied again after a kill
SYNC_FAILURE_BYTES = 500  # of a reason, in the state
SYNC_FAILURES_KEPT = 100  # of the reasons in a report; the others are counted
SYNC_TRIES = 5  # of a file or a request, the first one included
SYNC_RETRY_S = 0.5  # before the second try; doubled before each further one
SYNC_RETRY_S_MAX = 30.0  # between two tries
SYNC_CHUNK_BYTES = 256 * KIB  # of a file that is copied, at a time
SYNC_TIME_STEP_NS = 20_000_000  # of a file's time on a disk: one tick of the kernel, and some
SYNC_WORKERS = 8  # files that are copied at a time
SYNC_WORKERS_MAX = 256  # threads; each takes some 100 KiB of stack, and a chunk
SYNC_BYTES = 32 * MIB  # of files under way, beside a chunk for each worker
SYNC_TASK_FILES = 16  # small files that a worker gets at a time
SYNC_TASK_BYTES = 1 * MIB  # of these together
SYNC_DELETE_SHARE = 0.25  # of the files at the destination that may be deleted in one run, unless told otherwise
SYNC_DELETE_FREE = 100  # files that may be deleted whatever share they are
SYNC_RESUME_S = 6 * 3600.0  # age of a listing that a killed run left, up to which it is gone on with
SYNC_LIST_WORKERS = 4  # parts of a listing that are listed at a time; each holds what one listing holds
SYNC_IN_A_ROW = 100  # files that no try could copy, without one in between that could, behind which a run ends
SYNC_IN_A_ROW_S = 60.0  # that it took at least since the last one: a server is away that long when it begins anew
SYNC_LEAVE_S = 3.0  # that a run which is interrupted waits for threads: a server may not answer for a minute
SYNC_LEVELS_MAX = 16  # of folders that divide a listing
SYNC_TRIES_MAX = 100  # that may be asked for
SYNC_FILE_OF_OPTIONS_BYTES_MAX = 1 * MIB  # of a TOML file, which is read whole
SYNC_LARGE_BYTES = 1 * GIB  # a file that takes as much as any while it is copied: parts of larger ones grow at 78 GiB
SYNC_CHANGES_KEPT = 1_000  # of a plan or an audit in its report; the others are counted, and told as they come
SYNC_PROGRESS_S = 0.25  # between two events that only say how far it is
SYNC_SFTP_CONNECTIONS = 2  # of one remote, each with an SSH session; requests of many files are under way over each
SYNC_SFTP_REFUSED_S = 60.0  # after which a server that took no further connection is asked for one again
SYNC_SFTP_CONNECTION_BYTES = 6 * MIB  # the library's buffers of one: two windows of 2 MiB, and answers that are decoded
SYNC_SFTP_BLOCK = 64 * KIB  # of a file in one request; less where the server says so
SYNC_SFTP_BLOCKS = 16  # of one file that are under way, 1 MiB
SYNC_SFTP_NAMES = 500  # that the thread of the connections hands over at a time; about 300 KiB
SYNC_SFTP_FOLDERS = 4_096  # that were looked at and are no links; some 200 B each
SYNC_SFTP_REMOVALS = 32  # requests to delete a file that are under way
SYNC_SFTP_COPY_BYTES = 16 * MIB  # that a server copies by itself in answer to one request
SYNC_SFTP_TIMEOUT_S = 60.0  # in which a connection that was asked something has to answer something
SYNC_FTP_TIMEOUT_S = 60.0  # for an answer of an FTP server, unless told otherwise
SYNC_FTP_IDLE_S = 15.0  # after which an idle connection is asked whether it is alive: a round trip
SYNC_FTP_WAIT_S = 300.0  # for a connection to be free where a server allows only so many
SYNC_FTP_GRANTED_S = 60.0  # after which a server that allowed no more connections is asked for one more
SYNC_FTP_LINK_BYTES = 128 * KIB  # of a connection: TLS takes about 60 KiB, buffers of text 16 KiB
SYNC_FTP_REPLY_BYTES = 64 * KIB  # of one answer with all its lines; FEAT has about 500 B
SYNC_FTP_FOLDERS = 1_000  # that are remembered to be there; a path each, about 300 B
SYNC_FTP_LINE_BYTES = 64 * KIB  # of one line of a listing; a name has 255 B at most on most systems
SYNC_FTP_NAMES_BYTES = 1 * MIB  # of names in memory before they go to disk, where a server has no MLSD
SYNC_FTP_PART_BYTES = 64 * KIB  # of a listing, read at a time
SYNC_FTP_BUFFER_BYTES = 256 * KIB  # of a file, read at a time
SYNC_PART_BYTES = 8 * MIB  # of a part of an object: S3 asks for 5 MiB; a write holds up to four
SYNC_FEED_BYTES = 1 * MIB  # of it, handed at a time to the thread that sends it
SYNC_PARTS_MAX = 10_000  # of one object: S3 takes no more, and parts grow with objects above 78 GiB
SYNC_COPY_BYTES_MAX = 5 * GIB  # of an object that its store copies in one request
SYNC_DELETE_KEYS = 1_000  # deleted in one request; S3 takes no more
SYNC_S3_BYTES = 32 * MIB  # botocore and what it knows of S3, obstore's threads; 20 MiB were seen
SYNC_BORDER_PAGES = 64  # of listings that are asked for such ranges: a flat bucket has none
SYNC_CONNECT_S = 10.0  # to connect to an object store
SYNC_ANSWER_S = 60.0  # without a byte of an answer
SYNC_REQUEST_S = 300.0  # of a request with up to a part of an object; 8 MiB at 28 KiB/s
SYNC_DOWNLOAD_S = 7 * 24 * 3600.0  # of a whole object: what stalls is told by SYNC_ANSWER_S
SYNC_S3_PAGE_BYTES = 4 * MIB  # of a page of a listing with its tree, five times the answer at most
SYNC_S3_BODY_BYTES = 768 * KIB  # of the answer: 1,000 keys of 500 B; with longer ones fewer are asked for
