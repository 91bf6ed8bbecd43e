// Ticks of RA or Dec along the edge of a map; the names of set_sky_axes' args are given.
const DAY = 86400, DEG = Math.PI / 180

function position(x, y) { // seconds of time and arcsec at an offset in degrees
  const radius = Math.hypot(x, y) * DEG
  const angle = tangent ? Math.atan(radius) : radius
  const part = radius > 1e-12 ? Math.sin(angle) / radius : 1
  const v = [0, 1, 2].map((k) => x * DEG * part * east[k] + y * DEG * part * north[k] + Math.cos(angle) * center[k])
  const ra = Math.atan2(v[1], v[0]) / DEG * 240
  return along == "ra" ? (ra + DAY) % DAY : Math.atan2(v[2], Math.hypot(v[0], v[1])) / DEG * 3600
}

function edge() { // ends of the edge, and the value at a place on it
  if (along == "ra") return [x_range.start, x_range.end, (x) => position(x, y_range.start)]
  return [y_range.start, y_range.end, (y) => position(x_range.start, y)]
}

function nearest(value, other) { // RA of the turn that is nearest to another
  return along == "ra" ? value + DAY * Math.round((other - value) / DAY) : value
}

function chosen_step(low, high) {
  return steps.find((s) => s >= (high - low) / wanted) ?? steps[steps.length - 1]
}

function edge_ticks() { // found once for a window: they are asked for many times while it is drawn
  const window = [x_range.start, x_range.end, y_range.start, y_range.end, wanted].join()
  if (found.window != window) Object.assign(found, {window, ticks: find_ticks()})
  return found.ticks
}

function find_ticks() {
  const [start, end, value] = edge(), n = 240, places = [], values = []
  for (let k = 0; k <= n; k++) {
    places.push(start + (end - start) * k / n)
    values.push(k ? nearest(value(places[k]), values[k - 1]) : value(places[k]))
  }
  const step = chosen_step(Math.min(...values), Math.max(...values)), ticks = []
  for (let k = 0; k < n; k++) {
    const [a, b] = [values[k] / step, values[k + 1] / step]
    for (let m = Math.floor(Math.min(a, b)) + 1; m <= Math.max(a, b) && ticks.length < 40; m++)
      ticks.push({at: places[k] + (places[k + 1] - places[k]) * (m - a) / (b - a), step})
  }
  return ticks
}

function edge_label(tick) {
  const step = edge_ticks()[0]?.step ?? 1, value = edge()[2](tick)
  const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9))
  const whole = Math.round(value / step) * step
  const size = Math.abs(along == "ra" ? (whole + DAY) % DAY : whole)
  const [hours, minutes] = [Math.floor((size + 1e-9) / 3600), Math.floor((size + 1e-9) % 3600 / 60)]
  const seconds = Math.max(0, size - 3600 * hours - 60 * minutes).toFixed(digits).padStart(digits ? 3 + digits : 2, "0")
  const two = (n) => String(n).padStart(2, "0")
  if (along == "ra") return step < 60 ? `${two(hours)}h${two(minutes)}m${seconds}s` : `${two(hours)}h${two(minutes)}m`
  const sign = whole < 0 ? "−" : "+"
  return step < 60 ? `${sign}${two(hours)}°${two(minutes)}′${seconds}″` : `${sign}${two(hours)}°${two(minutes)}′`
}
