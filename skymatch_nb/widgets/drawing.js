// Run when a tool that draws is taken or put away. The toolbar is done with it a moment later: only then tools are set.
const drawing = tools.find((one) => one.active)
if (drawing && !kept.hovers) {
  kept.hovers = hovers.map((hover) => hover.active)
  for (const hover of hovers) hover.active = false
}
setTimeout(() => {
  const now = tools.find((one) => one.active)
  if (!now) {
    hovers.forEach((hover, k) => { hover.active = kept.hovers?.[k] ?? true })
    kept.hovers = null
    for (const tap of taps) tap.active = true
    for (const pan of pans) pan.active = true
  }
  const name = now?.name ?? "tap"
  if (tool.data.tool[0] != name) tool.data = { tool: [name] }
}, 0)
