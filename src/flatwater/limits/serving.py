"""Bounds of the served database, each with its cost.

Covers:     connections, messages, requests, fan-out, log-ins, the audit log, clients.
Not here:   bounds of tables and statements (`limits.live`).
Holds:      numbers.
"""

from __future__ import annotations

from flatwater.units import KIB, MIB

# --- server -----------------------------------------------------------------------------------------------------------

SERVE_PORT = 8_642  # where a database is served, unless told otherwise
SERVE_BODY_BYTES = 20 * MIB  # of a request; taken from the budget three times: as it came, parsed, as values
SERVE_HEAD_BYTES = 32 * KIB  # of a request's line and headers
SERVE_HEADERS_MAX = 100  # of a request; about 150 B each beside their text
SERVE_HEADS_BYTES = 16 * MIB  # of heads that have not arrived in whole and are larger than 4 KiB, of all connections
SERVE_PIPELINED_MAX = 8  # requests sent before the ones in front of them are answered; about 3 KiB each
SERVE_BACKLOG = 4_096  # connections that the kernel keeps until they are taken
SERVE_HEAD_S = 10.0  # that a request's head may take, or the TLS handshake
SERVE_BODY_S = 60.0  # that its body may take
SERVE_HANDSHAKES_MAX = 128  # of TLS at once; others wait their turn. See SERVE_TLS_BYTES
SERVE_HANDSHAKE_S = 1.0  # that one may take where others wait; about 2 ms are enough
SERVE_IDLE_S = 30.0  # that a connection of HTTP stays open between two requests
SERVE_REQUESTS_MAX = 64  # at work at once; others wait, up to SERVE_WAITING_MAX. About 100 KiB each, beside their bytes
SERVE_USER_REQUESTS = 32  # of one user at work at once
SERVE_WAITING_MAX = 1_000  # requests that wait for their turn; about 12 KiB each
SERVE_USER_WAITING = 200  # of these, of one user; of all who log in
SERVE_REQUEST_BYTES = 320 * KIB  # taken from the budget for a request at work: its page of rows, and what is sent
SERVE_HTTP_MAX = 4_000  # connections of HTTP at once; see SERVE_HTTP_BYTES
SERVE_HTTP_BYTES = 20 * KIB  # of each, with a request whose body is awaited
SERVE_SEND_S = 60.0  # for a client to take a piece of a response
SERVE_BURST_S = 20  # seconds' worth of messages that a user may send at once, such as when he comes back
SERVE_CHUNK_BYTES = 64 * KIB  # of a response, sent at a time
SERVE_COLUMNS_BYTES = 4 * KIB  # of the header with names of columns; longer ones come with the first row
SERVE_THREADS = 8  # for statements; about 100 KiB each
SERVE_LOGIN_THREADS = 2  # for passwords
SERVE_LOGIN_BYTES = 8 * KIB  # of the body of a log-in
SERVE_WATCH_S = 0.1  # between two looks at memory
SERVE_GRACE_S = 5.0  # for requests at work when the server ends

SERVE_CONNECTIONS_MAX = 50_000  # of live queries at once; see SERVE_CONNECTION_BYTES
SERVE_FILES_SPARE = 256  # descriptors that connections leave for the database; half of them where there are few
SERVE_FILES_MAX = 60_000  # that are looked for: what serves SERVE_CONNECTIONS_MAX and SERVE_HTTP_MAX
SERVE_CONNECTION_BYTES = 2 * KIB  # that an idle one takes; the kernel takes about 4 KiB more for its socket
SERVE_TLS_BYTES = 48 * KIB  # that one takes more with TLS
SERVE_CONNECTIONS_STEP = 64 * KIB  # of connections, taken from the budget at a time
SERVE_MESSAGE_BYTES = 512 * KIB  # of a message from a client
SERVE_RECEIVING_BYTES = 8 * MIB  # of messages that have not arrived in whole, of all connections
SERVE_SOCKET_BYTES = 64 * KIB  # that the kernel keeps for a client who reads slowly; Linux doubles it
SERVE_OUTBOX_BYTES = 32 * KIB  # that wait in the process for such a client; what comes behind waits in the log
SERVE_PAGE_BYTES = 32 * KIB  # of changes or rows that are read at a time for one who reads the log
SERVE_READERS = 4  # who read the log at once for those that are behind; a thread each
SERVE_READ_S = 0.25  # that one live query may read at a time before others have their turn
SERVE_AGAIN_S = 0.5  # until one that found no bytes in the budget tries again
SERVE_FEED_BYTES = 1_400  # of a live query beside its place in the log
SERVE_FANOUT_BYTES = 4 * MIB  # of changes that are committed and not given out; then who writes waits a little
SERVE_FANOUT_WAIT_S = 2.0  # that a writer waits for them; then those it concerns read the log
SERVE_TICK_S = 0.01  # of giving out at a time, before others on the loop have their turn
SERVE_AUTH_BYTES = 8 * KIB  # of a message from a client who has not said who he is
SERVE_ID_CHARS = 256  # of the name that a client gives a live query
SERVE_AUTH_S = 5.0  # for the first message
SERVE_SILENCE_S = 30.0  # until a silent client is pinged, and as long again until it is gone
SERVE_LEVEL_S = 20.0  # between two messages that say up to where everything was given
SERVE_CLOSE_S = 5.0  # for a client to answer a closing frame
SERVE_SUBSCRIPTIONS_MAX = 1_000  # of a connection
SERVE_SWEEP_S = 1.0  # between two looks at what is due for connections

# --- log-ins ----------------------------------------------------------------------------------------------------------

SERVE_TOKEN_S = 3_600  # that a token holds, unless told otherwise
SERVE_TOKEN_S_MAX = 30 * 86_400  # that one may hold
SERVE_TOKENS_BYTES = 512 * KIB  # of what tokens said that were checked, most recently used; about 500 B each
SERVE_TOKEN_BYTES_MAX = 4 * KIB  # of a token; what is longer is not looked at
SERVE_KEY_BYTES = 32  # of the key that tokens are signed with
SERVE_ONE_TIME_TRIES = 20  # wrong ones, then the token of the first start is gone
SERVE_HASH_BYTES = 19 * MIB  # that argon2 takes for a password, in SERVE_LOGIN_THREADS at once
SERVE_FAILURES = 5  # log-ins of a user from one address that may fail; behind these, pauses double
SERVE_ADDRESS_FAILURES = 20  # of all users from one address
SERVE_FAILURE_S = 900.0  # the longest of these pauses; and until failures are forgotten
SERVE_FAILURES_MAX = 10_000  # that are remembered; about 300 B each
SERVE_AUDIT_BYTES = 16 * MIB  # of a file of the audit log, on disk
SERVE_AUDIT_FILES = 4  # of these
SERVE_AUDIT_TEXT = 1_024  # characters of a statement in it
# --- clients ----------------------------------------------------------------------------------------------------------

CLIENT_TIMEOUT_S = 60.0  # for a server to go on with an answer, unless told otherwise
CLIENT_CONNECT_S = 10.0  # for a connection to be made
CLIENT_ROW_BYTES = 1 * MIB  # of the longest row as JSON, unless told otherwise; a message has two, and is held twice
CLIENT_ANSWER_BYTES = 16 * MIB  # of an answer that is read whole: of a statement that is no SELECT
CLIENT_TOKEN_BYTES = 64 * KIB  # of an answer with a token, or with an error
CLIENT_RESULT_BYTES = 256 * KIB  # of a result that is read: what came of it, and the rows that are made of that
CLIENT_ARROW_BYTES = 64 * MIB  # of a part of an Arrow stream; taken from the budget when it is larger than the above
CLIENT_HTTP_MAX = 32  # connections of HTTP at once, one for each result that is open
CLIENT_HTTP_IDLE_S = 10.0  # that one stays open between two statements: for less time than a server keeps it
CLIENT_TRIES = 6  # of a SELECT, or of what a server did not receive; some 3 s
CLIENT_PAUSE_S = 0.1  # before the second try, about; each next one is twice as long
CLIENT_PAUSE_S_MAX = 10.0  # of these, and of what a server asks for
CLIENT_RENEW_SHARE = 0.8  # of a token's life, after which the next one is asked for
CLIENT_FEED_BYTES = 256 * KIB  # of a live query that wait to be read; then the server keeps what follows
CLIENT_SOCKET_BYTES = 512 * KIB  # of a WebSocket beside its message: what came behind it, and the library's own
CLIENT_SOCKETS_MAX = 8  # at once: one that all share, and one for each long snapshot that is not read
CLIENT_SUBSCRIPTIONS_MAX = 1_000  # of a client: as many as a connection may have
CLIENT_SILENCE_S = 15.0  # between two signs of life; a server that gives none for twice as long is gone
CLIENT_CLOSE_S = 2.0  # for a server to answer a closing frame
# --- shell ------------------------------------------------------------------------------------------------------------

SHELL_PAGE_ROWS = 200  # of a result that are shown at a time, and that a table's widths are made of
SHELL_PAGE_CHARS = 256 * KIB  # of these, as they are shown; a larger row is a page of its own
SHELL_CELL_CHARS = 1_000  # of a value in a table; JSON and CSV have all of it
SHELL_COLUMN_CHARS = 120  # that a column of a table is wide where there is no terminal; longer values are folded
SHELL_HISTORY_BYTES = 1 * MIB  # of the file of what was typed; it is halved when it is larger
SHELL_HISTORY_ENTRY_BYTES = 16 * KIB  # of one statement in it; longer ones are not kept
SHELL_NAMES_MAX = 2_000  # names of tables that are offered; about 200 bytes each
SHELL_TABLES_MAX = 64  # tables whose columns are kept for being offered
SHELL_NAMES_S = 30.0  # until names are asked for anew
SHELL_NAMES_WAIT_S = 2.0  # for a database to tell names, before what is known is offered
SHELL_LIVE_ROWS = 200  # of a live query that are kept to be drawn; a terminal shows as many as fit
SHELL_LIVE_EVENTS = 500  # that are taken between two drawings
SHELL_DRAW_S = 0.1  # between two drawings
SHELL_MARK_S = 3.0  # that a row stays marked as new, changed or gone
SHELL_LEFT_MAX = 4  # statements that were interrupted and are still at work; a thread each
SHELL_LEFT_S = 5.0  # for them to end when the shell does
SHELL_TOKEN_BYTES = 16 * KIB  # of a file with a token
