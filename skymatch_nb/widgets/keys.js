// Folds of a panel by keyboard: ipywidgets opens and closes them by mouse alone.
const HEADER = ".jupyter-widget-Collapse-header";

export default {
  render({ el }) {
    let panel = null, timer = 0;

    const dress = () => panel.querySelectorAll(HEADER).forEach((header) => {
      const open = header.parentElement.classList.contains("jupyter-widget-Collapse-open");
      const wanted = { tabindex: "0", role: "button", "aria-expanded": String(open) };
      for (const [name, value] of Object.entries(wanted))
        if (header.getAttribute(name) !== value) header.setAttribute(name, value);
    });

    const press = (event) => {
      if (!event.target.matches?.(HEADER) || (event.key !== "Enter" && event.key !== " ")) return;
      event.preventDefault();
      event.stopPropagation();
      event.target.click();
    };

    const added = new MutationObserver(dress);
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
