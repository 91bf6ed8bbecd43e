// Makes the frames of figures smaller where a page is too narrow for them, and larger again up to what they were.
(() => {
  const LETTER = 0.56 // width of a letter as a share of the size of its font
  const SMALLEST = 0.35, WRAP_BELOW = 0.8 // shares of the width of frames
  const ROOM_FOR_RA = 95 // pixels that a label of right ascension takes
  const known = new Map()

  const plotsOf = (root) => root.type == "GridPlot" ? root.children.map(([plot]) => plot) : [root]
  const viewOf = (model) => [...Bokeh.index.all_views()].find((view) => view.model === model)
  const isMap = (plot) => /^(footprints|graph|preview)/.test(plot.name ?? "")
  const sum = (numbers) => numbers.reduce((a, b) => a + b, 0)

  function measure(root) { // sizes that a figure has by itself
    const parts = plotsOf(root).map((plot) => ({
      plot, frame: plot.frame_width, height: plot.frame_height, below: plot.min_border_bottom ?? 0,
      border: plot.min_border_left, left: viewOf(plot).frame.bbox.left,
      beside: viewOf(plot).el.offsetWidth - plot.frame_width, texts: textsOf(plot),
    }))
    const columns = root.type == "GridPlot" ? Math.max(...root.children.map(([, , column]) => column)) + 1 : 1
    const rest = root.type == "GridPlot" ? viewOf(root).el.offsetWidth - sum(widest(parts, columns)) : 0
    return {parts, columns, rest, scale: 1, wrapped: columns}
  }

  const widest = (parts, columns) => [...Array(columns).keys()].map((c) =>
    Math.max(...parts.filter((_, k) => k % columns == c).map((p) => p.frame + p.beside)))

  function textsOf(plot) { // what stands below a frame, and so has its width
    const of = (model, key, size) => ({model, key, size, text: model[key]})
    const titles = plot.below.filter((part) => part.type == "Title" && part.visible).map((part) => of(part, "text", 11))
    const axes = plot.below.filter((part) => part.type == "LinearAxis").map((part) => of(part, "axis_label", 13))
    return [...titles, ...axes].filter(({text}) => typeof text == "string" && text)
  }

  function scaleFor(size, columns, room) { // share of their width that frames may have
    const {parts, rest} = size
    const frames = [...Array(columns).keys()].map((c) => Math.max(...parts.filter((_, k) => k % columns == c)
      .map((p) => p.frame)))
    return (room - rest - (sum(widest(parts, columns)) - sum(frames))) / sum(frames)
  }

  function broken(text, width, size) { // text in lines that are no longer than a frame is wide
    const most = Math.max(Math.floor(width / (LETTER * size)), 12), lines = [""]
    const whole = text.replace(/\((?:[^()]|\([^()]*\))*\)/g, (unit) => unit.length < 30 ? unit.replace(/ /g, "\u00a0") : unit)
    for (const word of whole.split(/ +/)) {
      const line = lines[lines.length - 1]
      if (line && line.length + 1 + word.length > most) lines.push(word)
      else lines[lines.length - 1] = line ? `${line} ${word}` : word
    }
    return lines
  }

  function shrink(part, scale, inGrid) {
    const {plot} = part, width = Math.floor(scale * part.frame)
    const sizes = {frame_width: width}
    if (isMap(plot)) sizes.frame_height = Math.floor(scale * part.height)
    let more = 0
    for (const {model, key, size, text} of part.texts) {
      const lines = scale < 1 ? broken(text, width, size) : [text]
      more += (lines.length - 1) * 1.25 * size
      if (model[key] != lines.join("\n")) model[key] = lines.join("\n")
    }
    if (inGrid) part.more = more
    plot.setv(sizes)
    const wanted = Math.max(2, Math.floor(width / ROOM_FOR_RA))
    for (const axis of plot.below.filter((each) => each.type == "LinearAxis" && each.ticker.type == "CustomJSTicker"))
      for (const each of [axis.ticker, axis.formatter]) each.args = {...each.args, wanted}
  }

  function alignFrames({parts, columns: own}, columns) { // Bokeh aligns frames of a column, and cuts those that it moves
    parts.forEach(({plot, border}, k) => {
      const above = parts.filter((_, other) => other % columns == k % columns)
      plot.min_border_left = columns == own ? border : Math.ceil(Math.max(...above.map((part) => part.left)))
    })
  }

  function fit(root) {
    const place = viewOf(root)?.el.parentElement
    if (!place) return
    if (!known.has(root)) known.set(root, measure(root))
    const size = known.get(root), room = (place.closest(".figure, .cell_output") ?? document.body).clientWidth
    let columns = size.columns
    if (root.name == "preview") while (columns > 1 && scaleFor(size, columns, room) < WRAP_BELOW) columns -= 1
    const scale = Math.min(1, Math.max(SMALLEST, scaleFor(size, columns, room)))
    if (Math.abs(scale - size.scale) < 0.005 && columns == size.wrapped) return
    Object.assign(size, {scale, wrapped: columns})
    const inGrid = root.type == "GridPlot"
    for (const part of size.parts) shrink(part, scale, inGrid)
    if (!inGrid) return
    const more = Math.max(...size.parts.map((part) => part.more))
    for (const {plot, below} of size.parts) plot.min_border_bottom = Math.ceil(below + more)
    alignFrames(size, columns)
    if (root.name == "preview")
      root.children = size.parts.map(({plot}, k) => [plot, Math.floor(k / columns), k % columns])
  }

  const roots = () => Bokeh.documents.flatMap((doc) => [...doc.roots()])
  function fitAll() {
    if (!window.Bokeh || !Bokeh.documents.length || !Bokeh.documents.every((doc) => doc.is_idle)) {
      setTimeout(fitAll, 50)
      return
    }
    for (const root of roots()) if (plotsOf(root).every((plot) => plot.frame_width)) fit(root)
    document.body.dataset.fitted = document.documentElement.clientWidth
  }
  let waiting
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(fitAll, 150) })
  addEventListener("load", fitAll)
})()
