// What the client `ws` for Node sees of a server: one scenario, told as a line of JSON.

const [path, url, token, name] = process.argv.slice(2)
const WebSocket = require(path)
const where = url.replace('http', 'ws') + '/v1/live'

/** An open connection; with all that it hears. */
function open(options = {}, address = where) {
  const socket = new WebSocket(address, {perMessageDeflate: true, ...options})
  const heard = []
  let wake = () => {}
  const hear = event => {
    heard.push(event)
    wake()
  }
  socket.on('message', (data, isBinary) => hear(isBinary ? {binary: data.length} : JSON.parse(data)))
  socket.on('ping', data => hear({ping: String(data)}))
  socket.on('pong', data => hear({pong: String(data)}))
  socket.on('unexpected-response', (_request, response) => hear({status: response.statusCode, version: response.headers['sec-websocket-version']}))
  socket.on('error', error => hear({error: error.code || error.message}))
  socket.on('close', (code, reason) => hear({closed: code, reason: String(reason)}))
  const next = async () => {
    while (!heard.length) await new Promise(resolve => (wake = resolve))
    return heard.shift()
  }
  const say = message => socket.send(JSON.stringify(message))
  return {socket, next, say, opened: new Promise(resolve => socket.on('open', resolve))}
}

async function authenticated(options) {
  const live = open(options)
  await live.opened
  live.say({type: 'authenticate', token})
  const told = await live.next()
  if (told.type !== 'authenticated') throw new Error(JSON.stringify(told))
  return live
}

async function until(live, key, value) {
  const found = []
  for (;;) {
    found.push(await live.next())
    if (found.at(-1)[key] === value || value === undefined && key in found.at(-1)) return found
  }
}

async function sql(text, ...params) {
  const headers = {authorization: `Bearer ${token}`, 'content-type': 'application/json'}
  const response = await fetch(url + '/v1/sql', {method: 'POST', headers, body: JSON.stringify({sql: text, params})})
  if (!response.ok) throw new Error(await response.text())
}

const scenarios = {
  async changes() {
    const live = await authenticated()
    const extensions = live.socket.extensions
    await sql("INSERT INTO notes VALUES (1, 'a')")
    live.say({type: 'subscribe', id: 1, sql: 'SELECT * FROM notes'})
    const begun = await until(live, 'op', 'ready')
    await sql("INSERT INTO notes VALUES (2, 'grün')")
    await sql("UPDATE notes SET body = 'b' WHERE id = 1")
    await sql('DELETE FROM notes WHERE id = 2')
    const changes = await until(live, 'op', 'delete')
    live.say({type: 'unsubscribe', id: 1})
    await until(live, 'type', 'unsubscribed')
    live.socket.close(1000)
    return {extensions, begun: begun.map(each => each.type || each.op), changes, end: await live.next()}
  },

  async pings() {
    const live = await authenticated()
    live.socket.pong('unasked')
    for (const data of ['', 'abc', 'x'.repeat(125)]) live.socket.ping(data)
    live.say({type: 'ping'})
    return await until(live, 'type', 'pong')
  },

  async silence() {
    const live = await authenticated()
    const pings = [await live.next(), await live.next()]
    live.say({type: 'ping'})
    await until(live, 'type', 'pong')
    return pings
  },

  async closing() {
    const ends = []
    for (const given of [[], [1000], [1001, 'bye'], [3000], [4999, 'ü'.repeat(61)]]) {
      const live = await authenticated()
      live.socket.close(...given)
      ends.push((await live.next()).closed)
    }
    return ends
  },

  async refusals() {
    const ends = []
    for (const [data, options] of [
      [Buffer.from('x'), {binary: true}],
      [Buffer.from([0xff, 0xfe]), {binary: false}],
      ['{"type": "ping"}', {mask: false}],
      ['{"type": "ping"}', {compress: true, rsv1: true}],
      ['nonsense', {}],
      ['x'.repeat(600_000), {}],
    ]) {
      const live = await authenticated()
      if (options.rsv1) live.socket._socket.write(Buffer.from([0xc1, 0x80, 0, 0, 0, 0]))
      else live.socket.send(data, options)
      ends.push((await until(live, 'closed')).map(each => each.closed || each))
    }
    const late = open()
    await late.opened
    late.say({type: 'authenticate', token: 'wrong'})
    ends.push([(await late.next()).closed])
    return ends
  },

  async fragments() {
    const live = await authenticated()
    const text = JSON.stringify({type: 'subscribe', id: 'größe', sql: 'SELECT * FROM notes'})
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; at++) {
      live.socket.send(bytes.subarray(at, at + 1), {binary: false, fin: false})
      if (at % 20 === 0) live.socket.ping(String(at))
    }
    live.socket.send('', {binary: false, fin: true})
    const heard = await until(live, 'op', 'ready')
    return heard.map(each => each.pong ?? each.id ?? each.op)
  },

  async large() {
    const live = await authenticated()
    live.say({type: 'ping', filler: 'x'.repeat(500_000)})
    const answer = await live.next()
    live.say({type: 'subscribe', id: 1, sql: 'SELECT * FROM notes'})
    await until(live, 'op', 'ready')
    await sql('INSERT INTO notes VALUES (?, ?)', 1, 'ü'.repeat(100_000))
    const [change] = await until(live, 'op', 'insert')
    return {answer: answer.type, size: change.row.body.length, right: change.row.body === 'ü'.repeat(100_000)}
  },

  async handshakes() {
    const told = []
    for (const [options, address] of [
      [{origin: 'https://elsewhere.example'}],
      [{headers: {host: 'rebound.example'}}],
      [{protocolVersion: 8}],
      [{}, url.replace('http', 'ws') + '/v1/other'],
    ]) {
      told.push(await open(options, address).next())
    }
    return told
  },
}

scenarios[name]().then(
  told => {
    process.stdout.write(JSON.stringify(told) + '\n', () => process.exit(0))
  },
  error => {
    process.stderr.write(String(error.stack), () => process.exit(1))
  },
)
