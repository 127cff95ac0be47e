/**
 * Statements and live queries of a served flatwater database, from a browser or Node (22 and newer).
 *
 * Covers:     log-in and renewal of tokens, statements with streamed rows, live queries that survive lost connections, exact integers.
 * Not here:   the console (`console.js`); the protocol's words: docs/live-protocol.md.
 * Holds:      what a reader of a live query has not read yet (LIMITS.unreadChars), the rows of a `live` view, a piece of a streamed answer.
 *
 *     import {connect} from '/flatwater.js'
 *     const db = connect(location.origin, {user: 'ada', password: '…'})
 *     const {rows} = await db.sql('SELECT id, body FROM notes WHERE id > ?', [10])
 *     for await (const event of db.subscribe('SELECT * FROM notes')) console.log(event.op, event.row)
 *
 * @module
 */

/** Every bound, with what it costs. */
export const LIMITS = Object.freeze({
  unreadChars: 4 * 2 ** 20, // of changes that a subscription holds for its reader; then it leaves, and comes back behind them
  snapshotChars: 64 * 2 ** 20, // of rows of a snapshot that wait for their reader; a snapshot cannot be left and gone on with
  viewRows: 1_000, // of a live view; the oldest go first
  viewChars: 16 * 2 ** 20, // of these rows as JSON; about four times as much as objects
  requestBytes: 500 * 1024, // of a message to the server, which takes 512 KiB
  rowChars: 128 * 2 ** 20, // of one row in a streamed answer
  pauseS: 0.5, // before the first try to connect again; doubled with each, and a random part of it is taken
  pauseMaxS: 30, // before any other
  busyPauseS: 5, // at least, where the server said that it has no room
  openS: 15, // for a connection to be made and authenticated
  silentS: 35, // without a word from the server: then it is asked for one, and given up after as long again; it speaks every 20 s
  idleS: 10, // that a connection stays open without a subscription
  renewS: 300, // before its end a token is renewed, or after three quarters of its life
  tellMs: 40, // between two calls of a view's onChange
  refusals: 3, // of tokens in a row, before it is said that nobody is logged in
})

/**
 * @typedef {Object} Event
 * @property {'snapshot'|'ready'|'insert'|'update'|'delete'|'reset'} op `ready`: the snapshot is complete, or what was missed has come;
 *   `reset`: what came before no longer holds, a snapshot follows
 * @property {number} seq what `since` goes on from, once `ready` has come
 * @property {Object<string, any>} [row]
 * @property {Object<string, any>} [old] the row before an update
 *
 * @typedef {Object} Status
 * @property {'idle'|'connecting'|'connected'|'waiting'|'signed-out'|'closed'} state of the connection for live queries; `idle`: none is needed
 * @property {FlatwaterError} [error] why it is waiting, or nobody is logged in
 * @property {number} [retryS] seconds until it tries again
 */

/** What went wrong, as the server said it: `code` is its word, `hint` what to do, `retryS` when to come back. */
export class FlatwaterError extends Error {
  /** @param {string} code @param {string} message @param {{hint?: string, status?: number, retryS?: number, cause?: unknown}} [more] */
  constructor(code, message, {hint = '', status = 0, retryS = 0, cause} = {}) {
    super(message, {cause})
    this.name = 'FlatwaterError'
    this.code = code
    this.hint = hint
    this.status = status
    this.retryS = retryS
  }
}

/**
 * A database on a server. Nothing is asked for before it is needed.
 *
 * @param {string} url of the server, as in `https://example.org:8642`
 * @param {Object} [options]
 * @param {string} [options.token] of somebody who has logged in
 * @param {string} [options.user] with a password, instead
 * @param {string} [options.password]
 * @param {string} [options.oneTime] what the first start of a server says, instead
 * @param {(status: Status) => void} [options.onStatus] called when the connection for live queries changes
 * @param {(who: {token: string, user: string, role: string, expires_s: number}) => void} [options.onToken] called with each token, also renewed ones
 * @returns {Client}
 */
export function connect(url, options = {}) {
  return new Client(url, options)
}

/** @hideconstructor Made by `connect`. */
export class Client {
  #base
  #keys
  #link
  #ending = new AbortController()

  constructor(url, {onStatus, ...who}) {
    this.#base = new URL('/', url).href
    const ask = (path, body, options) => this.#ask(path, body, options)
    this.#keys = new Keys(ask, who)
    this.#link = new Link(this.#base, this.#keys, onStatus ?? (() => {}))
    this.#keys.onRenewed = token => this.#link.renewed(token)
  }

  /** Who this is: `user`, `role`, and `token`, which is renewed before it ends. Logs in where that has not been done. */
  async who() {
    await this.#keys.get()
    return this.#keys.who
  }

  /**
   * One statement with all of its rows. For many rows: `rows`.
   *
   * @param {string} text with `?` or `$1` for parameters
   * @param {any[]} [params] BigInts are sent exactly
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Promise<{columns: string[], rows: Object<string, any>[], count: number|null}>} `count`: rows that were changed
   */
  async sql(text, params = [], {signal} = {}) {
    const answer = await this.#statement(text, params, signal)
    const told = parse(await whole(answer))
    if (told.error) throw errorOf(told.error)
    return {columns: told.columns, rows: told.rows, count: told.count}
  }

  /**
   * One statement; its rows are read as they are asked for, and the server waits meanwhile: `for await (const row of db.rows(…))`.
   *
   * @param {string} text
   * @param {any[]} [params]
   * @param {{signal?: AbortSignal}} [options]
   * @returns {Rows}
   */
  rows(text, params = [], {signal} = {}) {
    return new Rows(own => this.#statement(text, params, own), joined(signal, this.#ending.signal))
  }

  /**
   * A live query: the rows there are, `ready`, then each change once, in order, also across lost connections.
   *
   * With `onEvent` it is called for each; without, the answer is read by `for await`, and what is not read is bounded: the subscription
   * leaves, and goes on behind it when the reader has caught up.
   *
   * @param {string} text SELECT columns FROM one table, with or without WHERE
   * @param {any[]} [params]
   * @param {Object} [options]
   * @param {number} [options.lastRows] of the snapshot, at most
   * @param {number} [options.since] the `seq` of an earlier subscription: no snapshot, what came behind it
   * @param {(event: Event) => void} [options.onEvent]
   * @param {(error: FlatwaterError) => void} [options.onError] it has ended; without `onEvent` the reader gets the error
   * @returns {Subscription}
   */
  subscribe(text, params = [], options = {}) {
    const subscription = new Subscription(this.#link, text, params, options)
    this.#link.add(subscription)
    return subscription
  }

  /**
   * The rows of a live query, kept current: the last `rowsMax` that came or changed.
   *
   * @param {string} text
   * @param {any[]} [params]
   * @param {Object} [options]
   * @param {number} [options.rowsMax]
   * @param {(view: View, changes: Change[]) => void} [options.onChange] called a few times a second, with what changed since
   * @param {(error: FlatwaterError) => void} [options.onError]
   * @returns {View}
   */
  live(text, params = [], options = {}) {
    return new View(this, text, params, options)
  }

  /** The server's answer to GET /health, which needs no token: `{status: 'ok'|'degraded'|'critical', …}`. */
  async health() {
    return parse(await whole(await this.#fetch('health', {signal: this.#ending.signal})))
  }

  /** End all: requests, live queries, timers. */
  close() {
    const closed = new FlatwaterError('closed', 'The client was closed.')
    this.#ending.abort(closed)
    this.#keys.close()
    this.#link.close()
  }

  async #statement(text, params, signal) {
    const body = encode({sql: text, params})
    const options = {signal: joined(signal, this.#ending.signal)}
    const token = await this.#keys.get()
    try {
      return await this.#ask('v1/sql', body, {...options, token})
    } catch (error) {
      if (error.code !== 'unauthenticated') throw error
      return await this.#ask('v1/sql', body, {...options, token: await this.#keys.another(token)}) // it was refused unread
    }
  }

  async #ask(path, body, {token, signal} = {}) {
    const headers = {'Content-Type': 'application/json', Accept: 'application/json'}
    if (token) headers.Authorization = `Bearer ${token}`
    const answer = await this.#fetch(path, {method: 'POST', headers, body, signal: signal ?? this.#ending.signal})
    if (answer.ok) return answer
    const retryS = Number(answer.headers.get('Retry-After')) || 0
    let told
    try {
      told = parse(await whole(answer)).error
    } catch {
      told = null // another server's words
    }
    throw errorOf(told ?? {message: `The server answers ${answer.status}.`}, answer.status, retryS)
  }

  async #fetch(path, options) {
    try {
      return await fetch(new URL(path, this.#base), {cache: 'no-store', credentials: 'omit', redirect: 'error', ...options})
    } catch (error) {
      throw failed(error, options.signal)
    }
  }
}

// --- rows of a statement ---------------------------------------------------------------------------------------------

/** Rows of a statement, once, as they arrive. @hideconstructor Made by `Client.rows`. */
export class Rows {
  #ask
  #ending = new AbortController()
  #signal
  #parts
  #said
  /** @type {string[]|null} Known once the first row was asked for. */
  columns = null
  /** @type {number|null} Of rows that were changed; known at the end. */
  count = null

  constructor(ask, signal) {
    this.#ask = ask
    this.#signal = joined(signal, this.#ending.signal)
  }

  async next() {
    try {
      this.#parts ??= split(await this.#ask(this.#signal), this)
      return await this.#parts.next()
    } catch (error) {
      throw (this.#said ??= failed(error, this.#signal))
    }
  }

  async return() {
    this.close()
    return {done: true, value: undefined}
  }

  /** Read no more: the server ends the statement. */
  close() {
    this.#ending.abort(new FlatwaterError('closed', 'The rows were closed.'))
  }

  [Symbol.asyncIterator]() {
    return this
  }
}

/**
 * The rows of `{"columns": […], "rows": [{…}, …], "count": …}`, one by one, as it comes in; what stands around them goes to `into`.
 * Only braces, brackets and quotes are looked at; each row's own text is parsed by the engine.
 */
async function* split(answer, into) {
  const decoder = new TextDecoder('utf-8', {fatal: true})
  let text = '' // that is not split yet
  let at = 0 // looked at up to here
  let depth = 0
  let from = 0 // where the row begins that is open
  let around = '' // what is no row
  let inText = false
  let isInRows = false
  for await (const piece of pieces(answer)) {
    text = text.slice(from) + decoder.decode(piece, {stream: true})
    at -= from
    from = 0
    if (text.length > LIMITS.rowChars) throw new FlatwaterError('limit_reached', `A row has more than ${LIMITS.rowChars} characters.`)
    let done = 0 // up to here all was handed out
    const marks = /["\\{}[\]]/g
    marks.lastIndex = at
    for (let mark; (mark = marks.exec(text)); ) {
      const sign = mark[0]
      if (sign === '\\') {
        at = marks.lastIndex += 1
        if (at > text.length) break // the sign behind it is in the next piece
      } else if (sign === '"') inText = !inText
      else if (inText) continue
      else if (sign === '{' || sign === '[') {
        if (++depth === 3 && sign === '{') {
          if (!isInRows) around += text.slice(done, mark.index)
          isInRows = true // where nothing but commas stands between them
          done = mark.index
          into.columns ??= columnsOf(around)
        }
      } else if (depth-- === 3 && sign === '}') {
        const row = parse(text.slice(done, mark.index + 1))
        done = mark.index + 1
        yield row
      } else if (depth === 1 && isInRows) {
        isInRows = false
        done = mark.index
      }
    }
    at = Math.max(at, text.length)
    if (depth < 3) {
      if (!isInRows) around += text.slice(done)
      done = text.length
    }
    from = done
  }
  around += text.slice(from)
  let told
  try {
    told = parse(around)
  } catch (cause) {
    throw new FlatwaterError('unreachable', 'The answer ended in the middle.', {hint: 'Ask again.', cause})
  }
  into.columns ??= told.columns
  into.count = told.count
  if (told.error) throw errorOf(told.error)
}

function columnsOf(begin) {
  return JSON.parse(`${begin}]}`).columns ?? null
}

async function* pieces(answer) {
  const reader = answer.body.getReader()
  try {
    for (let part; !(part = await reader.read()).done; ) yield part.value
  } finally {
    reader.cancel().catch(() => {}) // who stops reading ends the statement
  }
}

// --- live queries ----------------------------------------------------------------------------------------------------

/** A live query that is followed. @hideconstructor Made by `Client.subscribe`. */
export class Subscription {
  #link
  #onEvent
  #onError
  #queue = [] // [event, characters]
  #unread = 0
  #reader = null // who waits for the next event
  #error = null
  #hasPart = false // of a snapshot that is not complete
  #isEnded = false
  /** @type {string[]|null} The names of the columns, once the server has said them. */
  columns = null
  /** @type {number|undefined} What was read: `since` of another subscription goes on from here. Undefined before `ready`. */
  seq

  constructor(link, text, params, {lastRows, since, onEvent, onError}) {
    this.#link = link
    this.#onEvent = onEvent
    this.#onError = onError
    const wanted = {sql: text, params, ...(lastRows === undefined ? {} : {last_rows: lastRows})}
    const bytes = new TextEncoder().encode(encode(wanted)).length
    if (bytes > LIMITS.requestBytes) {
      throw new FlatwaterError('usage', `The query has ${bytes} bytes with its parameters.`, {hint: `${LIMITS.requestBytes} is the most.`})
    }
    this.seq = since
    /** @package What the link knows of it. `since` is what has come in; `seq` what was read. */
    this.link = {id: null, channel: null, since, isReady: false, isSent: false, isPaused: false, wasTaken: false, wanted}
  }

  /** End it; the reader's loop ends, too. */
  close() {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#queue = []
    this.#unread = 0
    this.#link.remove(this)
    this.#wake()
  }

  async next() {
    while (true) {
      const first = this.#queue.shift()
      if (first) {
        const [event, characters] = first
        this.#unread -= characters
        this.#mark(event)
        if (this.link.isPaused && this.#unread <= LIMITS.unreadChars / 2) this.#link.resume(this)
        return {done: false, value: event}
      }
      if (this.#error) {
        const error = this.#error
        this.#error = null
        throw error
      }
      if (this.#isEnded) return {done: true, value: undefined}
      await new Promise(resolve => (this.#reader = resolve))
    }
  }

  async return() {
    this.close()
    return {done: true, value: undefined}
  }

  [Symbol.asyncIterator]() {
    return this
  }

  /** @package What the server said. */
  take(message, characters) {
    const link = this.link
    if (message.op === 'snapshot') {
      this.#hasPart = true
      const each = Math.ceil(characters / Math.max(1, message.rows.length))
      for (const row of message.rows) this.#hand({op: 'snapshot', seq: message.seq, row}, each)
    } else {
      if (message.op === 'ready') {
        link.isReady = true
        this.#hasPart = false
      } else if (message.op === 'reset') {
        link.isReady = false
        link.since = undefined
        this.#hasPart = true
      }
      // What was missed comes in order before `ready`: a connection that is lost meanwhile goes on behind it.
      if (link.isReady || (link.since !== undefined && message.op !== 'reset')) link.since = Math.max(link.since ?? 0, message.seq)
      const {channel, ...event} = message
      this.#hand(event, characters)
    }
    if (this.#onEvent || this.#isEnded) return
    if (link.since !== undefined && this.#unread > LIMITS.unreadChars) this.#link.pause(this)
    else if (link.since === undefined && this.#unread > LIMITS.snapshotChars) {
      this.fail(
        new FlatwaterError('limit_reached', `The snapshot has more than ${LIMITS.snapshotChars} characters that nobody reads.`, {
          hint: 'Read faster, ask for less, or take a part of it with lastRows.',
        }),
      )
      this.#link.remove(this)
    }
  }

  /** @package All up to a number has been given. */
  level(seq) {
    const link = this.link
    if (!link.isReady || link.isPaused || link.channel === null) return
    link.since = Math.max(link.since, seq)
    if (!this.#queue.length) this.seq = link.since
  }

  /** @package The connection was lost; a part of a snapshot is worth nothing. */
  cut() {
    const link = this.link
    Object.assign(link, {id: null, channel: null, isReady: false, isSent: false})
    if (this.#hasPart) {
      this.#hasPart = false
      while (this.#queue.at(-1)?.[0].op === 'snapshot') this.#unread -= this.#queue.pop()[1]
      if (this.#queue.at(-1)?.[0].op !== 'reset') this.#hand({op: 'reset', seq: this.seq ?? 0}, 0)
    }
  }

  /** @package It has ended. */
  fail(error) {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#onError?.(error)
    if (!this.#onEvent) this.#error = error
    this.#wake()
  }

  #hand(event, characters) {
    if (this.#isEnded) return
    if (this.#onEvent) {
      this.#mark(event)
      this.#onEvent(event)
    } else {
      this.#queue.push([event, characters])
      this.#unread += characters
      this.#wake()
    }
  }

  #mark(event) {
    if (event.op === 'reset') this.seq = undefined
    else if (event.op === 'ready' || this.seq !== undefined) this.seq = Math.max(this.seq ?? 0, event.seq)
  }

  #wake() {
    const reader = this.#reader
    this.#reader = null
    reader?.()
  }
}

/**
 * @typedef {Object} Change
 * @property {'insert'|'update'|'delete'|'clear'} op `clear`: all rows have gone
 * @property {Entry} [entry]
 * @property {Object<string, any>} [old] the row as it was when changes were told last
 *
 * @typedef {{number: number, row: Object<string, any>}} Entry a row, and a number of its own
 */

/** The current rows of a live query, at most `rowsMax` of them. @hideconstructor Made by `Client.live`. */
export class View {
  #subscription
  #rowsMax
  #onChange
  #entries = new Map() // by number, the oldest first
  #same = new Map() // numbers by the row's text: rows need no key
  #characters = 0
  #numbers = 0
  #changes = new Map()
  #isCleared = false
  #timer = null
  /** How many events came behind the snapshot. */
  events = 0
  /** How many rows were left out, since there is room for `rowsMax`. */
  dropped = 0
  /** Whether the snapshot is complete. */
  isReady = false

  constructor(client, text, params, {rowsMax = LIMITS.viewRows, onChange, onError}) {
    this.#rowsMax = rowsMax
    this.#onChange = onChange ?? (() => {})
    const failed = error => {
      this.#tell()
      onError?.(error)
    }
    this.#subscription = client.subscribe(text, params, {lastRows: rowsMax, onEvent: event => this.#take(event), onError: failed})
  }

  /** @returns {string[]|null} */
  get columns() {
    return this.#subscription.columns
  }

  /** @returns {Entry[]} The rows, those that came first at the front. */
  get entries() {
    return [...this.#entries.values()]
  }

  /** @returns {Object<string, any>[]} */
  get rows() {
    return this.entries.map(entry => entry.row)
  }

  close() {
    clearTimeout(this.#timer)
    this.#timer = this.#onChange = null
    this.#subscription.close()
  }

  #take(event) {
    if (event.op === 'reset') this.#clear()
    else if (event.op === 'ready') this.isReady = true
    else {
      if (event.op !== 'snapshot') this.events += 1
      const there = event.op === 'update' || event.op === 'delete' ? this.#find(event.old ?? event.row) : null
      if (event.op === 'delete') {
        if (there) this.#remove(there)
      } else if (there) this.#replace(there, event.row)
      else this.#add(event.row)
    }
    this.#timer ??= setTimeout(() => this.#tell(), LIMITS.tellMs)
  }

  #find(row) {
    const numbers = this.#same.get(encode(row))
    return numbers ? this.#entries.get(numbers[0]) : null
  }

  #name(entry) {
    const text = encode(entry.row)
    const numbers = this.#same.get(text)
    if (numbers) numbers.push(entry.number)
    else this.#same.set(text, [entry.number])
    this.#characters += text.length
  }

  #unname(entry) {
    const text = encode(entry.row)
    const numbers = this.#same.get(text)
    if (numbers.length > 1) numbers.splice(numbers.indexOf(entry.number), 1)
    else this.#same.delete(text)
    this.#characters -= text.length
  }

  #add(row) {
    const entry = {number: this.#numbers++, row}
    this.#entries.set(entry.number, entry)
    this.#name(entry)
    this.#changes.set(entry.number, {op: 'insert', entry})
    while (this.#entries.size > this.#rowsMax || (this.#characters > LIMITS.viewChars && this.#entries.size > 1)) {
      this.dropped += 1
      this.#remove(this.#entries.values().next().value)
    }
  }

  #replace(entry, row) {
    const was = this.#changes.get(entry.number)
    if (!was) this.#changes.set(entry.number, {op: 'update', entry, old: entry.row})
    this.#unname(entry)
    entry.row = row
    this.#name(entry)
  }

  #remove(entry) {
    const was = this.#changes.get(entry.number)
    this.#unname(entry)
    this.#entries.delete(entry.number)
    if (was?.op === 'insert') this.#changes.delete(entry.number)
    else this.#changes.set(entry.number, {op: 'delete', entry})
  }

  #clear() {
    this.#entries.clear()
    this.#same.clear()
    this.#changes.clear()
    this.#characters = this.dropped = 0
    this.#isCleared = true
    this.isReady = false
  }

  #tell() {
    this.#timer = null
    const changes = [...(this.#isCleared ? [{op: 'clear'}] : []), ...this.#changes.values()]
    this.#changes.clear()
    this.#isCleared = false
    this.#onChange?.(this, changes)
  }
}

// --- the connection for live queries ---------------------------------------------------------------------------------

const BUSY = new Set([1013, 4429])
const MISTAKES = new Map([
  [1002, 'protocol'], [1003, 'protocol'], [1007, 'protocol'], [1009, 'too large a message'], [4400, 'message'],
])

/** One WebSocket for all subscriptions of a client: opened when there is one, again when it is lost. */
class Link {
  #url
  #keys
  #tell
  #all = new Set()
  #byId = new Map()
  #byChannel = new Map()
  #ids = 0
  #socket = null
  #isIn = false // authenticated
  #token = null
  #tries = 0
  #refused = 0
  #heard = 0
  #isClosed = false
  #timers = {}

  constructor(base, keys, tell) {
    this.#url = new URL('v1/live', base.replace(/^http/, 'ws')).href
    this.#keys = keys
    this.#tell = tell
    this.wakeUp = () => {
      if (this.#timers.again) this.#open() // the network is back: no need to wait
    }
    globalThis.addEventListener?.('online', this.wakeUp)
  }

  add(subscription) {
    if (this.#isClosed) throw new FlatwaterError('closed', 'The client was closed.')
    this.#all.add(subscription)
    this.#off('idle')
    if (this.#isIn) this.#subscribe(subscription)
    else if (!this.#socket && !this.#timers.again) this.#open()
  }

  remove(subscription) {
    this.#all.delete(subscription)
    this.#leave(subscription)
    if (!this.#all.size && !this.#isClosed) this.#after('idle', LIMITS.idleS, () => this.#drop('idle'))
  }

  pause(subscription) {
    subscription.link.isPaused = true
    this.#leave(subscription)
  }

  resume(subscription) {
    subscription.link.isPaused = false
    if (this.#isIn) this.#subscribe(subscription)
  }

  /** There is another token: who stays has to show it. */
  renewed(token) {
    if (this.#isIn && token !== this.#token) {
      this.#token = token
      this.#send({type: 'authenticate', token})
    }
  }

  close() {
    if (this.#isClosed) return
    this.#isClosed = true
    globalThis.removeEventListener?.('online', this.wakeUp)
    for (const subscription of [...this.#all]) subscription.close()
    this.#drop('closed')
  }

  async #open() {
    this.#off('again')
    this.#off('idle')
    this.#tell({state: 'connecting'})
    let socket
    try {
      this.#socket = socket = {} // of this try, until there is a real one
      const token = await this.#keys.get()
      if (this.#socket !== socket) return
      this.#token = token
      this.#socket = socket = new WebSocket(this.#url)
    } catch (error) {
      if (this.#socket === socket) this.#lost(socket, {code: 0, error})
      return
    }
    this.#after('open', LIMITS.openS, () => this.#lost(socket, {code: 0}))
    socket.onopen = () => this.#send({type: 'authenticate', token: this.#token})
    socket.onmessage = ({data}) => {
      if (this.#socket === socket) this.#take(data)
    }
    socket.onclose = closed => this.#lost(socket, closed)
    socket.onerror = () => {} // onclose follows, and says more
  }

  #take(data) {
    this.#heard = Date.now()
    const message = parse(data)
    if (message.op !== undefined) {
      this.#byChannel.get(message.channel)?.take(message, data.length)
      return
    }
    const subscription = this.#byId.get(message.id)
    switch (message.type) {
      case 'authenticated':
        this.#keys.learn(message)
        if (!this.#isIn) this.#enter()
        break
      case 'subscribed':
        if (!subscription) break
        subscription.columns = message.columns
        Object.assign(subscription.link, {channel: message.channel, wasTaken: true})
        this.#byChannel.set(message.channel, subscription)
        break
      case 'level':
        for (const each of this.#byChannel.values()) each.level(message.seq)
        break
      case 'ended':
        if (subscription) this.#end(subscription, errorOf(message.error))
        break
      case 'error':
        if (subscription) this.#refuse(subscription, errorOf(message.error))
        break
      default: // pong, unsubscribed, and what later servers say
    }
  }

  #enter() {
    this.#off('open')
    this.#isIn = true
    this.#refused = 0
    this.#after('steady', LIMITS.pauseMaxS, () => (this.#tries = 0))
    this.#listen(LIMITS.silentS)
    this.#tell({state: 'connected'})
    for (const subscription of this.#all) this.#subscribe(subscription)
    if (!this.#all.size) this.#after('idle', LIMITS.idleS, () => this.#drop('idle'))
  }

  /** Where nothing is heard, ask; where there is no answer, the connection is dead, whatever the system believes. */
  #listen(silentS) {
    this.#after('listen', silentS, () => {
      const quietS = (Date.now() - this.#heard) / 1000
      if (quietS >= 2 * LIMITS.silentS - 1) this.#lost(this.#socket, {code: 0})
      else {
        if (quietS >= LIMITS.silentS - 1) this.#send({type: 'ping'})
        this.#listen(LIMITS.silentS)
      }
    })
  }

  #subscribe(subscription) {
    const link = subscription.link
    if (link.isSent || link.isPaused) return
    link.id = ++this.#ids
    link.isSent = true
    this.#byId.set(link.id, subscription)
    this.#send({type: 'subscribe', id: link.id, ...link.wanted, ...(link.since === undefined ? {} : {since: link.since})})
  }

  /** Nothing more of what is under way for it counts: it comes again behind `since`. */
  #leave(subscription) {
    const link = subscription.link
    if (link.isSent) this.#send({type: 'unsubscribe', id: link.id})
    this.#forget(subscription)
  }

  #forget({link}) {
    this.#byId.delete(link.id)
    this.#byChannel.delete(link.channel)
    Object.assign(link, {id: null, channel: null, isReady: false, isSent: false})
  }

  #end(subscription, error) {
    this.#all.delete(subscription)
    this.#forget(subscription)
    subscription.fail(error)
    if (!this.#all.size && !this.#isClosed) this.#after('idle', LIMITS.idleS, () => this.#drop('idle'))
  }

  /** One that was there before the connection was lost waits for room; another one is told. */
  #refuse(subscription, error) {
    const isLater = error.code === 'budget_exceeded' || error.code === 'limit_reached'
    if (!subscription.link.wasTaken || subscription.link.channel !== null || !isLater) {
      this.#end(subscription, error)
      return
    }
    this.#forget(subscription)
    const again = setTimeout(() => {
      if (this.#isIn && this.#all.has(subscription)) this.#subscribe(subscription)
    }, 1000 * Math.max(error.retryS, jittered(LIMITS.busyPauseS)))
    again.unref?.() // in Node the connection stays for it
  }

  #lost(socket, {code, reason, error}) {
    if (this.#socket !== socket || !socket) return
    this.#cut()
    if (error?.code === 'unauthenticated' || error?.code === 'access_denied') return this.#fail(error, 'signed-out')
    if (code === 4403) {
      return this.#fail(new FlatwaterError('access_denied', 'The server refuses pages of this origin.', {hint: 'A dba allows it there.'}), 'closed')
    }
    if (MISTAKES.has(code)) {
      return this.#fail(new FlatwaterError('usage', `The server refuses what was sent (${code}, ${MISTAKES.get(code)}).`, {hint: reason}), 'closed')
    }
    if (code === 4401) {
      this.#refused += 1
      if (this.#refused >= LIMITS.refusals) {
        return this.#fail(new FlatwaterError('unauthenticated', 'The server takes no token of this user.', {hint: 'Log in again.'}), 'signed-out')
      }
      this.#keys.another(this.#token).catch(() => {}) // who asks next is told why
    }
    if (!this.#all.size) return this.#tell({state: 'idle'})
    const most = Math.min(LIMITS.pauseMaxS, LIMITS.pauseS * 2 ** this.#tries++)
    const retryS = jittered(BUSY.has(code) || error?.code === 'budget_exceeded' ? Math.max(most, 2 * LIMITS.busyPauseS) : most)
    this.#after('again', Math.max(retryS, error?.retryS ?? 0), () => this.#open())
    this.#tell({state: 'waiting', retryS, error: error ?? new FlatwaterError('unreachable', lostWords(code), {hint: reason ?? ''})})
  }

  #fail(error, state) {
    for (const subscription of [...this.#all]) this.#end(subscription, error)
    this.#off('idle')
    this.#tries = this.#refused = 0
    this.#tell({state, error})
  }

  #drop(state) {
    this.#cut()
    this.#tell({state})
  }

  #cut() {
    const socket = this.#socket
    this.#socket = null
    this.#isIn = false
    for (const name of Object.keys(this.#timers)) this.#off(name)
    this.#byId.clear()
    this.#byChannel.clear()
    for (const subscription of this.#all) subscription.cut()
    socket?.close?.(1000)
  }

  #send(message) {
    if (this.#socket?.readyState === 1) this.#socket.send(encode(message))
  }

  #after(name, seconds, call) {
    this.#off(name)
    this.#timers[name] = setTimeout(() => {
      delete this.#timers[name]
      call()
    }, 1000 * seconds)
  }

  #off(name) {
    clearTimeout(this.#timers[name])
    delete this.#timers[name]
  }
}

function lostWords(code) {
  return BUSY.has(code) ? 'The server has no room for this connection now.' : 'The connection was lost.'
}

// --- tokens ----------------------------------------------------------------------------------------------------------

/** The token of a client: got when it is first needed, renewed before it ends. */
class Keys {
  #ask
  #user
  #password
  #oneTime
  #onToken
  #getting = null
  #timer = null
  #isClosed = false
  onRenewed = () => {}

  constructor(ask, {token = null, user, password, oneTime, onToken}) {
    this.#ask = ask
    this.#user = user
    this.#password = password
    this.#oneTime = oneTime
    this.#onToken = onToken ?? (() => {})
    this.who = {token, user: user ?? null, role: null}
    this.isKnown = false // until when it holds
  }

  /** A token that holds, as far as is known. */
  async get() {
    if (this.who.token && this.isKnown) return this.who.token
    return await this.#once(() => this.#first())
  }

  /** Another one than this, which the server refused. */
  async another(refused) {
    if (this.who.token && this.who.token !== refused) return this.who.token
    return await this.#once(() => this.#first())
  }

  /** The server said whose it is, and until when. */
  learn({user, role, expires_s: expiresS}) {
    Object.assign(this.who, {user, role})
    if (!this.isKnown || !this.#timer) this.#plan(expiresS)
    this.isKnown = true
  }

  close() {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#password = this.#oneTime = undefined
  }

  async #first() {
    if (this.who.token) {
      try {
        return await this.#get({}, this.who.token) // whose it is, and one that holds longer
      } catch (error) {
        if (error.code !== 'unauthenticated') throw error
        this.who.token = null
      }
    }
    if (this.#password !== undefined) return await this.#get({user: this.#user, password: this.#password})
    if (this.#oneTime !== undefined) {
      const once = {one_time: this.#oneTime}
      this.#oneTime = undefined
      return await this.#get(once)
    }
    throw new FlatwaterError('unauthenticated', 'Nobody is logged in.', {hint: 'Log in again.', status: 401})
  }

  async #get(body, token) {
    const who = parse(await whole(await this.#ask('v1/token', encode(body), {token})))
    this.who = {token: who.token, user: who.user, role: who.role}
    this.isKnown = true
    this.#plan(who.expires_s)
    this.#onToken(who)
    this.onRenewed(who.token)
    return who.token
  }

  #plan(expiresS) {
    clearTimeout(this.#timer)
    if (this.#isClosed || !(expiresS > 0)) return
    const seconds = Math.min(expiresS - Math.min(LIMITS.renewS, expiresS / 4), 2 ** 31 / 1000 - 1)
    this.#timer = setTimeout(() => this.#renew(), 1000 * seconds * (0.95 + 0.05 * Math.random()))
    this.#timer.unref?.() // in Node nothing stays for it
  }

  #renew() {
    this.#timer = null
    this.#once(() => this.#get({}, this.who.token)).catch(error => {
      if (error.code === 'unauthenticated') this.who.token = null
      else this.#plan(4 * LIMITS.pauseMaxS) // the server is away
    })
  }

  /** Whoever asks meanwhile gets the same answer. */
  #once(get) {
    this.#getting ??= get().finally(() => (this.#getting = null))
    return this.#getting
  }
}

// --- JSON, errors ----------------------------------------------------------------------------------------------------

let tellsSource = false // whether JSON.parse shows how a number is written
JSON.parse('1', (_key, value, context) => {
  tellsSource = context?.source === '1'
  return value
})

/**
 * JSON whose integers are exact: those beyond 2^53 become BigInts, where the engine tells how they are written.
 *
 * @param {string} text
 * @returns {any}
 */
export function parse(text) {
  return tellsSource && /\d{16}/.test(text) ? JSON.parse(text, exact) : JSON.parse(text)
}

function exact(_key, value, context) {
  const isLarge = typeof value === 'number' && !Number.isSafeInteger(value)
  return isLarge && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value
}

/**
 * JSON of a value; BigInts are written as the integers they are.
 *
 * @param {any} value
 * @returns {string}
 */
export function encode(value) {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number' && !Number.isFinite(value)) throw new FlatwaterError('usage', `${value} is no number that JSON knows.`)
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  if (typeof value.toJSON === 'function') return encode(value.toJSON())
  if (Array.isArray(value)) return `[${value.map(encode).join(',')}]`
  const parts = Object.entries(value).filter(([, each]) => each !== undefined)
  return `{${parts.map(([name, each]) => `${JSON.stringify(name)}:${encode(each)}`).join(',')}}`
}

function errorOf(told, status = 0, retryS = 0) {
  const code = told.code ?? (status === 401 ? 'unauthenticated' : 'broken')
  return new FlatwaterError(code, told.message ?? code, {hint: told.hint ?? '', status, retryS})
}

/** What fetch and its streams throw, in words. */
function failed(error, signal) {
  if (error instanceof FlatwaterError) return error
  if (signal?.aborted && signal.reason instanceof FlatwaterError) return signal.reason
  if (error?.name === 'AbortError') return new FlatwaterError('closed', 'The request was given up.', {cause: error})
  return new FlatwaterError('unreachable', 'The server cannot be reached, or ended its answer.', {hint: 'Is it running? Try again.', cause: error})
}

async function whole(answer) {
  try {
    return await answer.text()
  } catch (error) {
    throw failed(error)
  }
}

function joined(...signals) {
  const given = signals.filter(Boolean)
  return given.length > 1 ? AbortSignal.any(given) : given[0]
}

/** Half of it, and a random part of the other half: clients that were lost together do not come back together. */
function jittered(seconds) {
  return seconds * (0.5 + Math.random() / 2)
}
