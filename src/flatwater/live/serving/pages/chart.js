/**
 * The memory of the server beside its budget, asked for every two seconds.
 *
 * Covers:     the chart and its figures.
 * Not here:   asking (`flatwater.js`).
 * Holds:      SAMPLES answers.
 *
 * @module
 */

import {element, many} from './grid.js'

const SAMPLES = 120 // of /health: four minutes
export const PERIOD_S = 2
const [WIDTH, HEIGHT] = [300, 140]
const LINES = ['rss', 'heap', 'external']
const NAMES = {rss: 'Resident', heap: 'Python heap', external: 'Outside the heap', limit: 'Budget', held: 'Promised'}

export class Chart {
  #samples = []
  #places

  /** @param {{chart: SVGElement, figures: HTMLElement, health: HTMLElement, span: HTMLElement}} places */
  constructor(places) {
    this.#places = places
  }

  /** One answer of /health. */
  add(health) {
    const {budget} = health
    const limit = typeof budget === 'object' && budget ? budget.limit : (health.limit ?? null)
    this.#samples.push({rss: health.rss, heap: health.heap, external: health.external, limit})
    if (this.#samples.length > SAMPLES) this.#samples.shift()
    this.#draw(limit)
    this.#tell(health, limit, budget?.held)
  }

  #draw(limit) {
    const top = 1.08 * Math.max(limit ?? 0, ...this.#samples.map(each => each.rss ?? 0), 1)
    const y = bytes => (HEIGHT * (1 - bytes / top)).toFixed(2)
    const x = at => (WIDTH * (1 - (this.#samples.length - 1 - at) / (SAMPLES - 1))).toFixed(2)
    const parts = [shape('line', {x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT})]
    for (const name of LINES) {
      const points = this.#samples.flatMap((each, at) => (typeof each[name] === 'number' ? [`${x(at)},${y(each[name])}`] : []))
      if (!points.length) continue
      if (points.length === 1) points.unshift(`${WIDTH - 2},${points[0].split(',')[1]}`)
      if (name === 'rss') {
        const from = points[0].split(',')[0]
        parts.push(shape('polyline', {class: 'area', points: `${from},${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`}))
      }
      parts.push(shape('polyline', {class: name, points: points.join(' ')}))
    }
    if (limit) parts.push(shape('line', {class: 'limit', x1: 0, x2: WIDTH, y1: y(limit), y2: y(limit)}))
    this.#places.chart.replaceChildren(...parts)
  }

  #tell(health, limit, held) {
    const {figures, health: state} = this.#places
    const rows = [['limit', limit], ['rss', health.rss], ['heap', health.heap], ['external', health.external], ['held', held]]
    const parts = rows.filter(([, bytes]) => typeof bytes === 'number').flatMap(([name, bytes]) => pair(NAMES[name], size(bytes), name))
    parts.push(element('div', {className: 'break'}))
    if (typeof health.connections === 'number') parts.push(...pair('Connections', many(health.connections)))
    if (typeof health.subscriptions === 'number') parts.push(...pair('Live queries', many(health.subscriptions)))
    if (typeof health.uptime_s === 'number') parts.push(...pair('Running for', time(health.uptime_s)))
    figures.replaceChildren(...parts)
    state.textContent = String(health.status)
    state.className = {ok: 'soft', degraded: 'soft warn', critical: 'soft bad'}[health.status] ?? 'soft'
    this.#places.chart.setAttribute('aria-label', `Memory of the server: ${size(health.rss ?? 0)} resident${limit ? `, the budget is ${size(limit)}` : ''}`)
  }
}

function shape(name, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value)
  return made
}

function pair(name, value, className = '') {
  return [element('dt', {textContent: name, className}), element('dd', {textContent: value})]
}

function size(bytes) {
  const mib = bytes / 2 ** 20
  return mib < 1024 ? `${mib.toFixed(1)} MiB` : `${(mib / 1024).toFixed(2)} GiB`
}

function time(seconds) {
  if (seconds < 120) return `${Math.floor(seconds)} s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`
}
