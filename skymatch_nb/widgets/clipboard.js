// A button that puts a text of the kernel's into the clipboard.
export default {
  render({ model, el }) {
    const button = document.createElement("button");
    button.className = "jupyter-widgets jupyter-button widget-button";
    button.type = "button";
    button.textContent = model.get("description");
    button.title = model.get("tooltip");
    el.append(button);
    button.addEventListener("click", () => model.send({ kind: "copy" }));
    const receive = async ({ kind, text }) => {
      if (kind !== "copy") return;
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "copied";
      } catch {
        button.textContent = "select and copy below";
      }
      setTimeout(() => (button.textContent = model.get("description")), 1500);
    };
    model.on("msg:custom", receive);
    return () => model.off("msg:custom", receive);
  },
};
