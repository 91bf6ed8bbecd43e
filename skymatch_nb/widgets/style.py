"""How the panel looks: JupyterLab's own colours, so that it follows the theme, and their light values elsewhere."""

STYLE = """
<style>
.skymatch-panel { container-type: inline-size; color: var(--jp-ui-font-color1, #222); }
.skymatch-panel .skymatch-body { display: flex; flex-flow: row wrap; gap: 12px; overflow: visible; }
.skymatch-panel .skymatch-left { flex: 1 1 380px; max-width: 470px; min-width: 300px; overflow: visible; }
.skymatch-panel .skymatch-right { flex: 3 1 400px; min-width: 320px; overflow: visible; }
@container (max-width: 796px) {
  .skymatch-panel .skymatch-left, .skymatch-panel .skymatch-right { flex: 1 1 100%; max-width: none; }
  .skymatch-panel .skymatch-views .widget-tab .lm-TabBar-tab { padding: 0 5px; font-size: 12px; flex: 0 1 auto;
    min-width: auto; }
}
.skymatch-panel .skymatch-row { align-items: center; overflow: visible; }
.skymatch-panel .skymatch-control { overflow: visible; margin: 0; }
.skymatch-panel .skymatch-label { width: 128px; flex: none; line-height: 1.3; overflow-wrap: anywhere; }
.skymatch-panel .skymatch-label.skymatch-changed { font-weight: 600; border-left: 3px solid #0072b2;
  padding-left: 5px; }
.skymatch-panel .skymatch-label.skymatch-bad { border-left: 3px solid var(--jp-error-color1, #b3261e);
  padding-left: 5px; }
.skymatch-panel .skymatch-label .widget-html-content, .skymatch-panel .skymatch-error .widget-html-content
  { line-height: 1.25; }
.skymatch-panel .skymatch-default { color: var(--jp-ui-font-color2, #666); font-size: 85%; font-weight: normal; }
.skymatch-panel .skymatch-unit { color: var(--jp-ui-font-color2, #666); font-size: 90%; font-weight: normal; }
.skymatch-panel .skymatch-error { color: var(--jp-error-color1, #b3261e); line-height: 1.3; overflow-wrap: anywhere; }
.skymatch-panel .skymatch-error:empty { display: none; }
.skymatch-panel .skymatch-readonly .widget-html-content, .skymatch-panel .skymatch-question .widget-html-content,
.skymatch-panel .skymatch-last-good .widget-html-content { line-height: 1.35; overflow-wrap: anywhere; }
.skymatch-panel .skymatch-readonly, .skymatch-panel .skymatch-last-good { height: auto; }
.skymatch-panel .skymatch-last-good { border-left: 4px solid #c77700; padding: 2px 8px; }
.skymatch-panel .skymatch-written { overflow-wrap: anywhere; line-height: 1.35; font-size: 90%; margin: 2px; }
.skymatch-panel .skymatch-written a { color: var(--jp-content-link-color, #0b62a4); text-decoration: underline; }
.skymatch-panel .skymatch-flags .widget-checkbox { height: auto; min-height: var(--jp-widgets-inline-height, 28px); }
.skymatch-panel .skymatch-flags .widget-label-basic { white-space: normal; height: auto; line-height: 1.3;
  overflow-wrap: anywhere; align-items: flex-start; }
.skymatch-panel .skymatch-selection, .skymatch-panel .skymatch-hint { height: 2.9em; flex: none; overflow-y: auto; }
.skymatch-panel .skymatch-selection .widget-html-content, .skymatch-panel .skymatch-hint .widget-html-content
  { line-height: 1.35; }
.skymatch-panel .skymatch-state { font-size: 90%; }
.skymatch-panel .skymatch-dot-fresh { color: #2e8b57; }
.skymatch-panel .skymatch-dot-stale { color: #c77700; }
.skymatch-panel .skymatch-dot-running { color: #0072b2; }
.skymatch-panel .skymatch-dot-failed { color: var(--jp-error-color1, #b3261e); }
.skymatch-panel .skymatch-dot-none { color: var(--jp-ui-font-color3, #999); }
.skymatch-panel .skymatch-message { border-left: 4px solid #c77700; padding: 2px 8px; margin: 2px 0; line-height: 1.35;
  overflow-wrap: anywhere; }
.skymatch-panel .skymatch-message.failed { border-color: var(--jp-error-color1, #b3261e); }
.skymatch-panel .skymatch-table { overflow: auto; max-height: 420px; }
.skymatch-panel .skymatch-table table { border-collapse: collapse; font-size: 12px;
  font-variant-numeric: tabular-nums; }
.skymatch-panel .skymatch-table th .units { display: block; font-weight: normal; font-size: 85%; min-height: 1.2em;
  white-space: normal; min-width: 6.5em; text-wrap: balance; }
.skymatch-panel .skymatch-table th.text .units { min-width: 0; }
.skymatch-panel .skymatch-table th br { display: none; }
.skymatch-panel .skymatch-table th { vertical-align: bottom; line-height: 1.3; position: sticky; top: 0;
  background: var(--jp-layout-color2, #eee); }
.skymatch-panel .skymatch-table th, .skymatch-panel .skymatch-table td { padding: 2px 8px; text-align: right;
  line-height: 1.35; white-space: nowrap; border-bottom: 1px solid var(--jp-border-color2, #ddd); }
.skymatch-panel .skymatch-table td.text, .skymatch-panel .skymatch-table th.text { text-align: left; }
.skymatch-panel .skymatch-table td.long { white-space: normal; overflow-wrap: anywhere; min-width: 13em;
  max-width: 18em; }
.skymatch-panel .skymatch-table tbody tr { cursor: pointer; }
.skymatch-panel .skymatch-table th:not(:empty) { cursor: pointer; }
.skymatch-panel .skymatch-table th[aria-sort=ascending]::after { content: " ▲"; }
.skymatch-panel .skymatch-table th[aria-sort=descending]::after { content: " ▼"; }
.skymatch-panel .skymatch-table tbody tr:hover { background: var(--jp-layout-color2, #eee); }
.skymatch-panel .skymatch-table tbody tr[aria-selected=true] { box-shadow: inset 4px 0 #0072b2;
  background: color-mix(in srgb, #0072b2 28%, transparent); }
.skymatch-panel .skymatch-table :focus-visible { outline: 2px solid #0072b2; outline-offset: -2px; }
body > .bk-Tooltip { max-width: min(640px, 90vw); overflow-wrap: anywhere; }
.skymatch-panel .skymatch-figure { overflow: auto; max-width: 100%; }
.skymatch-panel .skymatch-views { display: flex; flex-flow: row wrap; gap: 12px; overflow: visible; }
.skymatch-panel .skymatch-views > * { flex: 1 1 100%; min-width: 0; max-width: 100%; }
@container (min-width: 1500px) { .skymatch-panel .skymatch-views > * { flex: 1 1 480px; } }
.skymatch-panel .skymatch-waiting { height: 320px; margin: 8px; display: grid; place-items: center;
  color: var(--jp-ui-font-color2, #666); border: 1px dashed var(--jp-border-color1, #bbb); border-radius: 4px;
  background: var(--jp-layout-color2, #f5f5f5); }
.skymatch-panel button:disabled, .skymatch-panel .skymatch-write:disabled { opacity: 0.35; cursor: not-allowed;
  box-shadow: none; }
.skymatch-panel .skymatch-write:disabled { background: var(--jp-layout-color2, #eee);
  color: var(--jp-ui-font-color1, #222); border: 1px dashed var(--jp-border-color1, #bbb); }
.skymatch-panel button:focus-visible, .skymatch-panel select:focus-visible, .skymatch-panel textarea:focus-visible,
.skymatch-panel input:focus-visible, .skymatch-panel [tabindex]:focus-visible, .skymatch-panel .noUi-handle:focus,
.skymatch-panel .lm-TabBar-tab:focus-visible { outline-offset: 1px;
  outline: 2px solid var(--jp-brand-color1, #0072b2) !important; }
.skymatch-panel .skymatch-row .widget-button { padding: 0; }
body[data-jp-theme-light="false"] .skymatch-panel .widget-dropdown > select {
  --jp-widgets-dropdown-arrow: url("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 18 18'%3E\
%3Cpath fill='none' stroke='%23ddd' stroke-width='1.5' d='M6 8l3 3 3-3'/%3E%3C/svg%3E"); }
.skymatch-panel textarea { font-family: var(--jp-code-font-family, monospace); font-size: 12px; }
</style>
"""
