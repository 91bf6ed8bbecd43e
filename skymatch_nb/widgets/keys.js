// Folds of a panel by keyboard, which ipywidgets opens and closes by mouse alone, and names for parts of controls.
const HEADER = ".jupyter-widget-Collapse-header";
const PARTS = "input, select, textarea, button, .noUi-handle";
const NAMES = {
  ".skymatch-inputs textarea": "input words",
  ".skymatch-browse select": "files of the folder",
  ".skymatch-code textarea": "what was copied last",
};
let helps = 0;

function put(element, wanted) {
  for (const [name, value] of Object.entries(wanted))
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function nameParts(control) {
  const label = control.querySelector(".skymatch-label span[title]");
  if (!label) return;
  const called = label.textContent.replace(/\s+/g, " ").trim();
  const wrong = control.querySelector(":scope > .skymatch-error");
  const bad = Boolean(wrong?.textContent.trim());
  let help = control.querySelector(":scope > .skymatch-help");
  if (!help) {  // what is hidden is read even so, where something is described by it
    help = control.appendChild(document.createElement("div"));
    Object.assign(help, { className: "skymatch-help", hidden: true, id: `skymatch-help-${++helps}` });
  }
  const told = [label.title, bad ? wrong.textContent.trim() : ""].filter(Boolean).join(" ");
  if (help.textContent !== told) help.textContent = told;
  for (const part of control.querySelectorAll(PARTS)) {
    const own = part.tagName === "BUTTON" ? part.textContent.trim() || part.title || "reset"
      : part.type === "checkbox" ? part.closest(".widget-checkbox")?.textContent.replace(/\u200b/g, "").trim() : "";
    put(part, { "aria-label": [called, own].filter(Boolean).join(": "), "aria-describedby": help.id });
    if (part.matches("input, select, textarea")) put(part, { "aria-invalid": String(bad) });
  }
}

export default {
  render({ el }) {
    let panel = null, timer = 0;

    const dress = () => {
      timer = 0;
      panel.querySelectorAll(HEADER).forEach((header) => {
        const open = header.parentElement.classList.contains("jupyter-widget-Collapse-open");
        put(header, { tabindex: "0", role: "button", "aria-expanded": String(open) });
      });
      panel.querySelectorAll(".skymatch-control").forEach(nameParts);
      for (const [which, name] of Object.entries(NAMES))
        panel.querySelectorAll(which).forEach((part) => put(part, { "aria-label": name }));
    };

    const press = (event) => {
      if (!event.target.matches?.(HEADER) || (event.key !== "Enter" && event.key !== " ")) return;
      event.preventDefault();
      event.stopPropagation();
      event.target.click();
      dress();  // who listens hears at once that it is open
    };

    const added = new MutationObserver(() => { timer ||= setTimeout(dress, 50); });
    const find = () => {  // the panel is put on the page after its parts
      panel = el.closest(".skymatch-panel");
      if (!panel) { timer = setTimeout(find, 100); return; }
      dress();
      panel.addEventListener("keydown", press);
      const steps = panel.querySelector(".skymatch-left");
      if (steps) added.observe(steps, { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] });
    };
    find();
    return () => {
      clearTimeout(timer);
      added.disconnect();
      panel?.removeEventListener("keydown", press);
    };
  },
};
