/**
 * The console: log-in, tables, statements, live queries, memory.
 *
 * Covers:     the session of one tab, the list of tables, the editor, what its buttons do.
 * Not here:   the server (`flatwater.js`), rows on the page (`grid.js`), the chart (`chart.js`).
 * Holds:      a token in the tab's session storage, LIVE_PANELS_MAX live queries, HISTORY_MAX statements.
 *
 * @module
 */

import {Chart, PERIOD_S} from './chart.js'
import {connect} from './flatwater.js'
import {element, errorBox, LivePanel, many, ResultPanel} from './grid.js'

const TOKEN = 'flatwater.token'
const HISTORY_MAX = 100 // statements that Alt+Up brings back; in memory alone, since they may have secrets in them
const HISTORY_CHARS = 20_000 // of one; longer ones are not kept
const LIVE_PANELS_MAX = 12 // live queries at once
const LIVE_ROWS = 500 // shown of each
const TABLES_MAX = 2_000 // that are listed
const PLAIN = /^[a-z_][a-z0-9_]*$/
const RESERVED = new Set(
  ('all and any as asc between by case cast column create cross current_date current_time current_timestamp default delete desc describe distinct ' +
    'drop else end except exists false for from full group having in index inner insert intersect into is join key left like limit natural not null ' +
    'offset on or order outer primary references right select set show table then to true union unique update user users using values view when where window with').split(' '),
)
const SYSTEM = {user: ['tables', 'users', 'live_queries'], dba: ['jobs', 'live_queries', 'memory', 'tables', 'users']}
const CHANGES_TABLES = /\b(create|drop|alter)\b/i

const byId = id => document.getElementById(id)
const editor = byId('editor')

let db = null
let chart = null
let polling = null
let link = {state: 'idle'}
let reaches = null // whether /health answers
let result = null
let panels = []
let listed = []
let described = new Map() // columns of the tables that are open
const history = {all: [], at: 0, draft: ''}

// --- the session -----------------------------------------------------------------------------------------------------

/** A token in the address holds once, or is of somebody who has logged in; it leaves the address bar before anything else. */
async function begin() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token')
  if (given !== null) window.history.replaceState(null, '', location.pathname + location.search)
  const kept = sessionStorage.getItem(TOKEN)
  if (given) {
    const isToken = given.split('.').length === 3
    await enter(isToken ? {token: given} : {oneTime: given}, error => ask(error))
  } else if (kept) await enter({token: kept}, error => ask(error.code === 'unauthenticated' ? null : error))
  else ask(null)
}

/** Log in, and show the work; `refused` is told why not. */
async function enter(how, refused) {
  const made = connect(location.origin, {
    ...how,
    onStatus: status => made === db && connection(status),
    onToken: ({token}) => sessionStorage.setItem(TOKEN, token),
  })
  let who
  try {
    who = await made.who()
  } catch (error) {
    made.close()
    if (error.code === 'unauthenticated') sessionStorage.removeItem(TOKEN)
    refused(error)
    return
  }
  made.close() // it may know the password: from here on a token is enough
  db = connect(location.origin, {
    token: who.token,
    onStatus: status => connection(status),
    onToken: ({token, role}) => {
      sessionStorage.setItem(TOKEN, token)
      byId('who').querySelector('.role').textContent = role
    },
  })
  byId('who').querySelector('b').textContent = who.user
  byId('who').querySelector('.role').textContent = who.role
  for (const id of ['who', 'leave', 'work']) byId(id).hidden = false
  byId('entry').hidden = true
  byId('login').reset()
  chart = new Chart({chart: byId('chart'), figures: byId('figures'), health: byId('health'), span: byId('span')})
  connection({state: 'idle'})
  poll()
  await tables()
  editor.focus()
}

/** Ask who it is. */
function ask(error) {
  end()
  for (const id of ['who', 'leave', 'work']) byId(id).hidden = true
  byId('entry').hidden = false
  const place = byId('login-error')
  place.hidden = !error
  place.replaceChildren(...(error ? errorBox(error).childNodes : []))
  told('', 'Not connected')
  byId('login').elements.user.focus()
}

function end() {
  clearTimeout(polling)
  result?.close()
  for (const panel of panels) panel.close()
  db?.close()
  db = result = null
  panels = []
  described.clear()
  byId('result').hidden = true
  byId('result').replaceChildren()
  byId('nothing').hidden = false
}

/** What fails because nobody is logged in any more leads back to the log-in. */
function isOut(error) {
  if (error?.code !== 'unauthenticated' || !db) return false
  sessionStorage.removeItem(TOKEN)
  ask(error)
  return true
}

// --- status ----------------------------------------------------------------------------------------------------------

function connection(status) {
  link = status
  for (const panel of panels) panel.connected(status.state === 'connected')
  if (status.state === 'signed-out') isOut(status.error)
  else state()
}

function state() {
  if (link.state === 'waiting') told('warn', 'Connection lost, trying again')
  else if (reaches === false) told('bad', 'The server does not answer')
  else if (link.state === 'connecting') told('warn', 'Connecting')
  else if (link.state === 'connected') told('good', 'Connected, live')
  else told(reaches ? 'good' : '', reaches ? 'Connected' : 'Connecting')
}

function told(kind, text) {
  const place = byId('connection')
  place.className = `state ${kind}`
  const words = place.querySelector('span')
  if (words.textContent !== text) words.textContent = text
}

async function poll() {
  const own = db
  try {
    const health = await own.health()
    if (own !== db) return
    reaches = true
    chart.add(health)
  } catch {
    if (own !== db) return
    reaches = false
    byId('health').textContent = ''
  }
  state()
  polling = setTimeout(poll, 1000 * PERIOD_S)
}

// --- tables ----------------------------------------------------------------------------------------------------------

async function tables() {
  const place = byId('tables')
  const own = db
  try {
    const found = []
    for await (const row of own.rows('SELECT namespace, name, type FROM system.tables')) {
      if (found.push(row) === TABLES_MAX) break
    }
    const {role} = await own.who()
    const system = SYSTEM[role === 'dba' || role === 'system' ? 'dba' : 'user']
    if (own !== db) return
    const order = (a, b) => a.namespace.localeCompare(b.namespace) || a.name.localeCompare(b.name)
    listed = [...found.sort(order), ...system.map(name => ({namespace: 'system', name, type: ''}))]
    described.clear()
    list()
  } catch (error) {
    if (own === db && !isOut(error)) place.replaceChildren(errorBox(error))
  }
}

function list() {
  const wanted = byId('filter').value.trim().toLowerCase()
  const spaces = new Map()
  for (const table of listed) {
    if (wanted && !`${table.namespace}.${table.name}`.toLowerCase().includes(wanted)) continue
    if (!spaces.has(table.namespace)) spaces.set(table.namespace, [])
    spaces.get(table.namespace).push(table)
  }
  const parts = [...spaces].map(([namespace, members]) => {
    const items = element('ul', {}, ...members.map(item))
    return element('details', {open: namespace !== 'system' || Boolean(wanted)}, element('summary', {textContent: namespace}), items)
  })
  if (!listed.some(table => table.namespace !== 'system')) parts.unshift(element('p', {className: 'soft', textContent: 'No tables yet.'}))
  else if (!spaces.size) parts.push(element('p', {className: 'soft', textContent: 'No table has this in its name.'}))
  if (listed.length > TABLES_MAX) parts.push(element('p', {className: 'soft', textContent: `The first ${many(TABLES_MAX)} tables.`}))
  byId('tables').replaceChildren(...parts)
}

function item(table) {
  const name = `${quoted(table.namespace)}.${quoted(table.name)}`
  const button = element('button', {type: 'button'}, table.name)
  if (table.type) button.append(element('span', {textContent: table.type.toLowerCase()}))
  const made = element('li', {}, button)
  button.setAttribute('aria-expanded', 'false')
  const open = columns => {
    button.setAttribute('aria-expanded', 'true')
    made.append(columns)
  }
  if (described.has(name)) open(described.get(name))
  button.onclick = async () => {
    if (described.delete(name)) {
      button.setAttribute('aria-expanded', 'false')
      made.lastChild.remove()
      return
    }
    write(`SELECT * FROM ${table.namespace === 'main' && !RESERVED.has(table.name) ? quoted(table.name) : name}`)
    const columns = element('dl', {className: 'columns'})
    described.set(name, columns)
    open(columns)
    try {
      const {rows} = await db.sql(`DESCRIBE ${name}`)
      columns.append(...rows.flatMap(row => [element('dt', {textContent: row.column, className: row.primary_key ? 'key' : ''}), element('dd', {textContent: row.type})]))
    } catch (error) {
      if (!isOut(error)) columns.replaceWith((described.set(name, errorBox(error)), described.get(name)))
    }
  }
  return made
}

function quoted(name) {
  return PLAIN.test(name) && !RESERVED.has(name) ? name : `"${name.replaceAll('"', '""')}"`
}

// --- statements ------------------------------------------------------------------------------------------------------

function statement() {
  const {value, selectionStart: from, selectionEnd: to} = editor
  return (from < to ? value.slice(from, to) : value).trim().replace(/(\s*;)+$/, '')
}

async function run() {
  const text = statement()
  if (!text) return editor.focus()
  remember(editor.value)
  result?.close()
  byId('nothing').hidden = true
  const own = (result = new ResultPanel(byId('result'), db.rows(text), isOut))
  const button = byId('run')
  button.textContent = 'Stop'
  await own.read()
  if (own !== result) return
  button.textContent = 'Run'
  if (CHANGES_TABLES.test(text)) await tables()
}

function stop() {
  result.close()
  result = null
  byId('result').replaceChildren(element('p', {className: 'soft', textContent: 'Stopped.'}))
  byId('run').textContent = 'Run'
}

function live() {
  const text = statement()
  if (!text) return editor.focus()
  remember(editor.value)
  byId('nothing').hidden = true
  const place = byId('panels')
  if (panels.length >= LIVE_PANELS_MAX) {
    const box = errorBox({message: `There are ${LIVE_PANELS_MAX} live queries on this page.`, hint: 'Close one.'})
    place.prepend(box)
    setTimeout(() => box.remove(), 5000)
    return
  }
  const made = new LivePanel(place, db, text, {rowsMax: LIVE_ROWS, onClose: panel => (panels = panels.filter(each => each !== panel))})
  panels.push(made)
}

// --- the editor ------------------------------------------------------------------------------------------------------

function remember(text) {
  if (text.length <= HISTORY_CHARS && history.all.at(-1) !== text) history.all.push(text)
  if (history.all.length > HISTORY_MAX) history.all.shift()
  history.at = history.all.length
}

/** An earlier statement, or a later one; behind the last is what was being written. */
function recall(step) {
  const to = history.at + step
  if (to < 0 || to > history.all.length) return
  if (history.at === history.all.length) history.draft = editor.value
  history.at = to
  editor.value = history.all[to] ?? history.draft
}

function write(text) {
  editor.value = text
  history.at = history.all.length
}

let leaves = false // after Escape the next Tab leaves the editor

editor.addEventListener('keydown', event => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
    event.preventDefault()
    run()
  } else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
    event.preventDefault()
    recall(event.key === 'ArrowUp' ? -1 : 1)
  } else if (event.key === 'Tab' && !event.shiftKey && !leaves) {
    event.preventDefault()
    if (!document.execCommand('insertText', false, '  ')) editor.setRangeText('  ', editor.selectionStart, editor.selectionEnd, 'end') // the first one can be undone
  }
  leaves = event.key === 'Escape'
})

byId('run').onclick = () => (byId('run').textContent === 'Stop' ? stop() : run())
byId('live').onclick = live
byId('refresh').onclick = tables
byId('filter').oninput = list
byId('leave').onclick = () => {
  sessionStorage.removeItem(TOKEN)
  editor.value = ''
  history.all = []
  history.at = 0
  ask(null)
}
byId('login').onsubmit = async event => {
  event.preventDefault()
  const form = event.target
  const button = form.querySelector('button')
  button.disabled = true
  await enter({user: form.elements.user.value, password: form.elements.password.value}, error => {
    ask(error)
    form.elements.password.value = ''
    form.elements.password.focus()
  })
  button.disabled = false
}
const dialog = byId('value')
dialog.querySelector('button').onclick = () => dialog.close()
dialog.onclick = event => {
  if (event.target === dialog) dialog.close() // beside it
}
addEventListener('hashchange', () => {
  if (!location.hash.includes('token=')) return
  end() // the address was opened in a tab that is here already
  begin()
})

begin()
