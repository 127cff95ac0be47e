// What a program does with flatwater.js in Node; the tests start it with a name and arguments, and read its last line as JSON.

const [path, name, url, ...given] = process.argv.slice(2)
const {connect, encode, parse, LIMITS} = await import(path)

const told = []
const token = process.env.FLATWATER_TOKEN
const who = token ? {token} : {user: 'ada', password: 'secret'}
const open = (more = {}) => connect(url, {...who, onStatus: status => told.push(status.state), ...more})
const errorOf = error => ({code: error.code, message: error.message, hint: error.hint, status: error.status, retryS: error.retryS})

/** So many events that are of a row: `ready` comes again whenever what was missed has come. */
async function takeRows(events, count) {
  const seen = []
  for await (const event of events) {
    if (event.row) seen.push(event)
    if (seen.length === count) break
  }
  return seen
}

async function refused(call) {
  try {
    return {none: await call()}
  } catch (error) {
    return errorOf(error)
  }
}

const scenarios = {
  async json() {
    const text = '[9007199254740993, -9223372036854775808, 9007199254740991, 1e300, 1.5, {"a": "9007199254740993", "__proto__": 1}, "\\u00e9"]'
    const read = parse(text)
    return {kinds: read.map(each => typeof each), again: encode(read), bad: await refused(async () => encode([NaN]))}
  },

  async statements() {
    const db = open()
    const made = await db.sql('INSERT INTO notes (id, body) VALUES (?, ?), (?, ?)', [9007199254740993n, 'a "quoted" \\ text', 2, '{"rows":[1,{}]}'])
    const found = await db.sql('SELECT id, body FROM notes ORDER BY id')
    const none = await db.sql('SELECT id, body FROM notes WHERE id = ?', [9007199254740992n])
    const wrong = await refused(() => db.sql('SELEC'))
    const twice = await refused(() => db.sql('INSERT INTO notes (id) VALUES (2)'))
    const me = await db.who()
    db.close()
    const closed = await refused(() => db.sql('SELECT 1'))
    return {made: made.count, columns: found.columns, rows: encode(found.rows), none: none.rows, wrong, twice, user: me.user, role: me.role, closed}
  },

  async streamed() {
    const db = open()
    const rows = db.rows('SELECT id, body FROM notes')
    let [count, sum] = [0, 0]
    for await (const row of rows) {
      count += 1
      sum += row.id
    }
    const few = []
    for await (const row of db.rows('SELECT id FROM notes ORDER BY id')) {
      few.push(row.id)
      if (few.length === 3) break
    }
    const none = db.rows('SELECT id, body FROM notes WHERE id < 0')
    for await (const row of none) count += row.id
    const changed = db.rows('UPDATE notes SET body = ? WHERE id < 10', ['x'])
    await changed.next()
    db.close()
    return {count, sum, columns: rows.columns, few, none: none.columns, changed: changed.count}
  },

  async pieces() {
    const db = open({token: 'any'})
    const rows = db.rows('scripted')
    const seen = []
    const end = await refused(async () => {
      for await (const row of rows) seen.push(row)
    })
    db.close()
    return {seen, columns: rows.columns, count: rows.count, end}
  },

  async live() {
    const db = open()
    const events = db.subscribe('SELECT id, body FROM notes WHERE id < 100')
    const seen = []
    for await (const event of events) {
      seen.push(event)
      if (event.op === 'ready') {
        await db.sql("INSERT INTO notes (id, body) VALUES (3, 'c'), (300, 'no')")
        await db.sql("UPDATE notes SET body = 'C' WHERE id = 3")
        await db.sql('DELETE FROM notes WHERE id = 3')
      }
      if (event.op === 'delete') break
    }
    db.close()
    return {seen: seen.map(({op, row, old}) => ({op, row, old})), told, seq: events.seq}
  },

  /** All that comes, until there were so many ends of the connection. */
  async scripted() {
    const [want] = given.map(Number)
    const db = given[1] ? open({token: given[1], password: undefined}) : open()
    const seen = []
    let events
    const end = await refused(async () => {
      events = db.subscribe('SELECT * FROM notes', [], {since: given[2] ? Number(given[2]) : undefined})
      for await (const event of events) if (seen.push(event) === want) break
    })
    const seq = events?.seq
    db.close()
    return {seen, told, end, seq}
  },

  async kept() {
    const db = open()
    const ids = []
    let [resets, last] = [0, 0]
    const events = db.subscribe('SELECT id FROM notes')
    for await (const event of events) {
      if (event.op === 'reset') {
        resets += 1
        ids.length = 0
      }
      if (event.row) ids.push(event.row.id)
      if (event.op === 'ready' && !last++) console.log('ready')
      if (ids.at(-1) === -1) break
    }
    db.close()
    return {ids, resets, told}
  },

  async unread() {
    const db = open()
    const events = db.subscribe('SELECT id, body FROM notes')
    while ((await events.next()).value.op !== 'ready');
    await db.sql('INSERT INTO notes (id) VALUES (1)')
    console.log('ready') // the test writes more than is held for a reader
    const until = Date.now() + 20_000
    while (!events.link.isPaused && Date.now() < until) await new Promise(resolve => setTimeout(resolve, 10))
    const paused = events.link.isPaused
    const seen = (await takeRows(events, Number(given[0]))).map(event => event.row.id)
    db.close()
    return {seen, paused, bound: LIMITS.unreadChars}
  },

  async view() {
    const db = open()
    let tell
    const changed = () => new Promise(resolve => (tell = resolve))
    const log = []
    const view = db.live('SELECT body FROM notes', [], {
      rowsMax: 3,
      onChange: (_view, changes) => {
        log.push(...changes.map(({op, entry, old}) => [op, entry?.row.body, old?.body]))
        tell?.()
      },
    })
    const until = async test => {
      while (!test()) await changed()
    }
    await until(() => view.isReady)
    for (const [id, body] of [[1, 'a'], [2, 'same'], [3, 'same'], [4, 'd']]) {
      await db.sql('INSERT INTO notes (id, body) VALUES (?, ?)', [id, body])
      await until(() => view.rows.some(row => row.body === body) && view.events >= id)
    }
    await db.sql("UPDATE notes SET body = 'other' WHERE id = 3")
    await until(() => view.rows.some(row => row.body === 'other'))
    await db.sql('DELETE FROM notes WHERE id = 2')
    await until(() => view.rows.length === 2 && log.length >= 7) // what is told comes a little later
    const rows = view.rows
    const {events, dropped} = view
    view.close()
    db.close()
    return {rows, events, dropped, log}
  },

  async token() {
    const db = open()
    const events = db.subscribe('SELECT id FROM notes')
    await events.next()
    const first = (await db.who()).token
    const until = Date.now() + 20_000
    while ((await db.who()).token === first && Date.now() < until) await new Promise(resolve => setTimeout(resolve, 20))
    await db.sql('INSERT INTO notes (id) VALUES (1)')
    const {value} = await events.next()
    db.close()
    return {isAnother: (await db.who()).token !== first, id: value.row.id, told}
  },
}

const result = await scenarios[name]()
console.log(JSON.stringify(result, (_key, value) => (typeof value === 'bigint' ? `${value}n` : value)))
