/**
 * Rows as a table on the page: cells by type, long values cut, pages of a result, a live view.
 *
 * Covers:     elements without HTML of others, the grid, the panel of a result, the panel of a live query.
 * Not here:   the server (`flatwater.js`), the rest of the page (`console.js`).
 * Holds:      ROWS_SHOWN_MAX rows of a result; of a live query what its view holds.
 *
 * @module
 */

import {encode} from './flatwater.js'

export const PAGE_ROWS = 1_000 // read at a time; about 300 B a cell on the page
const ROWS_SHOWN_MAX = 5_000 // of a result; the first ones go
const CELL_CHARS = 56 // shown of a value; all of it on a click
const HIDDEN_CHARS = 1_000 // of a value that are looked at for its cell
const RATE_S = 5 // over which events are counted
const DIGITS_MAX = 6 // behind the point, that numbers of a column are aligned by
const FADE_MS = 600 // of a row that has gone
const FADING_MAX = 20 // rows of a panel that fade at a time; others go at once
const FLASHES_MAX = 50 // of what changes at a time: more are a blur, and cost more than the rows

/** An element. Whatever is given becomes text or properties, never HTML. */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

/** A number as people read it. */
export function many(count, noun = '') {
  return `${count.toLocaleString('en')}${noun && ` ${noun}${count === 1 ? '' : 's'}`}`
}

/** An error with its hint. */
export function errorBox(error) {
  const box = element('div', {className: 'error'}, element('p', {textContent: error.message || String(error)}))
  box.setAttribute('role', 'alert')
  if (error.hint) box.append(element('p', {textContent: error.hint}))
  return box
}

function isNumber(value) {
  return typeof value === 'number' || typeof value === 'bigint'
}

function fill(cell, value, name) {
  cell.className = ''
  delete cell.dataset.blanks
  if (value === null || value === undefined) {
    cell.className = 'null'
    cell.textContent = 'NULL'
    return
  }
  if (isNumber(value)) cell.className = 'number'
  else if (typeof value !== 'string') cell.className = 'other'
  const text = typeof value === 'string' ? value : typeof value === 'object' ? encode(value) : String(value)
  const shown = text.slice(0, CELL_CHARS).split('\n', 1)[0]
  if (shown.length === text.length) {
    cell.textContent = text
    return
  }
  const button = element('button', {type: 'button', textContent: `${shown.replace(/[\ud800-\udbff]$/, '')}…`}) // no half of a letter
  button.setAttribute('aria-label', `${name}: ${text.slice(0, HIDDEN_CHARS)}`)
  button.onclick = () => show(name, typeof value === 'object' ? JSON.stringify(JSON.parse(text), null, 2) : text)
  cell.replaceChildren(button)
}

function digitsOf(cell) {
  const text = cell.textContent
  const at = text.indexOf('.')
  return at < 0 || text.includes('e') ? 0 : Math.min(DIGITS_MAX, text.length - at - 1)
}

function pad(cell, digits) {
  if (!cell.classList.contains('number') || cell.classList.contains('null')) return
  const own = digitsOf(cell)
  const blanks = `${own || !digits ? '' : '\u2008'}${'\u2007'.repeat(digits - own)}` // as wide as a point, and as a digit
  if (blanks) cell.dataset.blanks = blanks
  else delete cell.dataset.blanks
}

/** A whole value, above the page. */
function show(name, text) {
  const dialog = document.getElementById('value')
  dialog.querySelector('h2').textContent = `${name} · ${many(text.length, 'character')}`
  dialog.querySelector('pre').textContent = text
  dialog.showModal()
}

class Grid {
  #columns = null
  #digits = [] // behind the point, by column
  #fresh = null // rows that are not in the body yet
  #head = element('tr')
  #body = element('tbody')

  constructor(label) {
    this.table = element('table', {}, element('thead', {}, this.#head), this.#body)
    this.table.setAttribute('aria-label', label)
    this.element = element('div', {className: 'grid', tabIndex: 0}, this.table)
    this.element.setAttribute('role', 'region')
    this.element.setAttribute('aria-label', label)
  }

  /** Rows that are made until they are put into the body together. */
  page() {
    return (this.#fresh = document.createDocumentFragment())
  }

  get body() {
    return this.#body
  }

  /** The names of the columns; numbers stand right, as the first value of a column does. */
  columns(names) {
    if (this.#columns || !names?.length) return
    this.#columns = names
    this.#head.append(...names.map(name => Object.assign(element('th', {textContent: name, title: name}), {scope: 'col'})))
  }

  row(row) {
    this.columns(Object.keys(row))
    const made = element('tr')
    for (const name of this.#columns) {
      const cell = element('td')
      fill(cell, row[name], name)
      made.append(cell)
    }
    this.#align(made)
    return made
  }

  #align(row) {
    for (const [at, cell] of [...row.cells].entries()) {
      if (cell.className === 'number') {
        this.#head.cells[at].classList.add('number')
        this.#point(cell, at)
      }
      else if (cell.className === 'null' && this.#head.cells[at].classList.contains('number')) cell.className = 'null number'
    }
  }

  /** Points stand below points: a shorter fraction is followed by blanks, which are no part of its text. */
  #point(cell, at) {
    const digits = digitsOf(cell)
    if (digits > (this.#digits[at] ?? 0)) {
      this.#digits[at] = digits
      for (const row of this.#body.rows) pad(row.cells[at], digits)
      for (const row of this.#fresh?.children ?? []) pad(row.cells[at], digits)
    }
    pad(cell, this.#digits[at] ?? 0)
  }

  /** Another row in the place of one: the cells that changed. */
  update(made, row, old) {
    const changed = []
    for (const [at, name] of this.#columns.entries()) {
      if (old && encode(row[name]) === encode(old[name])) continue
      fill(made.cells[at], row[name], name)
      changed.push(made.cells[at])
    }
    this.#align(made)
    return changed
  }
}

/** The rows of a statement, a page at a time; what is not shown is not read. */
export class ResultPanel {
  #place
  #rows
  #isOut
  #grid = new Grid('Rows')
  #told = element('p', {className: 'told'})
  #more = element('button', {id: 'more', type: 'button', textContent: `Next ${many(PAGE_ROWS)} rows`, hidden: true})
  #count = 0
  #dropped = 0
  #ahead = null
  #isClosed = false

  /** `isOut(error)` is true where an error was dealt with: nobody is logged in any more. */
  constructor(place, rows, isOut) {
    this.#place = place
    this.#isOut = isOut
    this.#rows = rows
    this.#told.setAttribute('role', 'status')
    this.#more.onclick = () => this.read()
    const panel = element('div', {className: 'panel'}, this.#told, this.#grid.element, this.#more)
    this.#grid.element.hidden = true
    place.replaceChildren(panel)
    place.hidden = false
    this.#told.textContent = 'Running…'
  }

  /** Read a page on. */
  async read() {
    this.#more.disabled = true
    const begun = performance.now()
    let [read, isDone] = [0, false]
    const page = this.#grid.page()
    try {
      while (true) {
        const {done, value} = this.#ahead ?? (await this.#rows.next())
        this.#ahead = null
        isDone = done
        if (done) break
        if (read === PAGE_ROWS) {
          this.#ahead = {done, value} // there is more: the first of it is kept
          break
        }
        if (!read) this.#grid.columns(this.#rows.columns)
        page.append(this.#grid.row(value))
        read += 1
      }
    } catch (error) {
      if (this.#isClosed || this.#isOut(error)) return
      this.#place.firstChild.append(errorBox(error))
      isDone = true
      if (!read && !this.#count) {
        this.#told.remove()
        return
      }
    }
    if (this.#isClosed) return
    this.#grid.columns(this.#rows.columns)
    this.#grid.element.hidden = !this.#rows.columns?.length
    this.#grid.body.append(page)
    this.#count += read
    while (this.#count - this.#dropped > ROWS_SHOWN_MAX) {
      this.#grid.body.firstChild.remove()
      this.#dropped += 1
    }
    this.#more.hidden = isDone
    this.#more.disabled = false
    this.#tell(isDone, performance.now() - begun)
  }

  #tell(isDone, tookMs) {
    const parts = []
    const {count} = this.#rows
    if (typeof count === 'number') parts.push(`${many(count, 'row')} changed`)
    else if (this.#dropped) parts.push(`Rows ${many(this.#dropped + 1)} to ${many(this.#count)}${isDone ? '' : ', and more'}`)
    else if (this.#rows.columns?.length) parts.push(isDone ? many(this.#count, 'row') : `The first ${many(this.#count)} rows`)
    else parts.push('Done')
    parts.push(`${tookMs < 10 ? tookMs.toFixed(1) : many(Math.round(tookMs))} ms`)
    this.#told.replaceChildren(...parts.map(text => element('span', {textContent: text})))
  }

  close() {
    this.#isClosed = true
    this.#rows.close()
  }
}

/** A live query: its rows, the newest first, and what happens to them. */
export class LivePanel {
  #grid
  #view
  #rows = new Map() // elements by the number of their entry
  #mark = element('span', {className: 'mark', textContent: 'Live'})
  #told = element('span')
  #counts = [] // [when, how many events by then]
  #timer
  #hasEnded = false
  #fading = 0

  constructor(place, db, text, {rowsMax, onClose}) {
    const short = text.replace(/\s+/g, ' ')
    this.#grid = new Grid(`Live rows of ${short.slice(0, 200)}`)
    const close = element('button', {type: 'button', className: 'quiet', textContent: 'Close'})
    close.setAttribute('aria-label', `Close the live query ${short.slice(0, 200)}`)
    const told = element('p', {className: 'told'}, this.#mark, this.#told)
    const head = element('div', {className: 'head'}, element('code', {className: 'text', textContent: short.slice(0, 500), title: short.slice(0, 2000)}), told, close)
    this.element = element('section', {className: 'panel live'}, head, this.#grid.element)
    this.element.setAttribute('aria-label', 'Live query')
    close.onclick = () => {
      this.close()
      onClose(this)
    }
    this.#view = db.live(text, [], {rowsMax, onChange: (view, changes) => this.#change(view, changes), onError: error => this.#end(error)})
    this.#timer = setInterval(() => this.#tell(), 1000)
    this.#tell()
    place.prepend(this.element)
  }

  /** Whether changes come in: the connection was lost, or is back. */
  connected(isConnected) {
    if (this.#hasEnded) return
    this.#mark.textContent = isConnected ? 'Live' : 'Waiting'
    this.#mark.classList.toggle('warn', !isConnected)
  }

  close() {
    clearInterval(this.#timer)
    this.#view.close()
    this.element.remove()
  }

  #change(view, changes) {
    this.#grid.columns(view.columns)
    const fresh = this.#grid.page()
    const gone = []
    let flashes = 0
    const shine = (made, name) => {
      if (flashes++ < FLASHES_MAX) flash(made, name)
    }
    if (changes[0]?.op === 'clear') {
      this.#rows.clear()
      this.#grid.body.replaceChildren()
    }
    for (const {op, entry, old} of changes.reverse()) {
      const there = entry && this.#rows.get(entry.number)
      if (op === 'delete') {
        this.#rows.delete(entry.number)
        if (there) gone.push(there)
      } else if (op === 'update' && there) {
        for (const cell of this.#grid.update(there, entry.row, old)) shine(cell, 'changed')
      } else if (op === 'insert' && !there) {
        const made = this.#grid.row(entry.row)
        if (view.events) shine(made, 'came')
        this.#rows.set(entry.number, made)
        fresh.append(made) // the newest first
      }
    }
    this.#grid.body.prepend(fresh)
    for (const each of gone) this.#leave(each)
    this.#tell()
  }

  #leave(row) {
    if (this.#fading >= FADING_MAX) return row.remove()
    this.#fading += 1
    row.classList.add('gone')
    setTimeout(() => {
      this.#fading -= 1
      row.remove()
    }, FADE_MS)
  }

  #tell() {
    const now = performance.now()
    const events = this.#view?.events ?? 0
    this.#counts.push([now, events])
    while (this.#counts.length > 2 && now - this.#counts[0][0] > 1000 * RATE_S) this.#counts.shift()
    if (this.#counts.length > 200) this.#counts.splice(1, 100)
    const [since, before] = this.#counts[0]
    const rate = (events - before) / Math.max(1, (now - since) / 1000)
    const rows = this.#rows.size
    const dropped = this.#view?.dropped ? ' (the newest)' : ''
    this.#told.textContent = `${many(rows, 'row')}${dropped} · ${many(events, 'event')} · ${rate.toFixed(rate < 10 ? 1 : 0)}/s`
  }

  #end(error) {
    this.#hasEnded = true
    clearInterval(this.#timer)
    this.#mark.textContent = 'Ended'
    this.#mark.className = 'mark bad'
    this.element.append(errorBox(error))
    if (!this.#rows.size) this.#grid.element.hidden = true
  }
}

/** For a moment; again from the beginning where it is under way. */
function flash(made, name) {
  if (made.classList.contains(name)) {
    for (const animation of made.getAnimations({subtree: true})) animation.currentTime = 0
    return
  }
  made.classList.add(name)
  setTimeout(() => made.classList.remove(name), 1700)
}
