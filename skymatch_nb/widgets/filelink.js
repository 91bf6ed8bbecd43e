// Path of a file that was written; JupyterLab tells in its page which folder it shows, and a file below that is a link.
function configuration() {
  try { return JSON.parse(document.getElementById("jupyter-config-data").textContent); } catch { return {}; }
}

function address(path, home) {
  const { baseUrl, serverRoot, appUrl } = configuration();
  if (!baseUrl || !serverRoot) return null;
  const root = serverRoot.replace(/^~(?=\/|$)/, home).replace(/\/+$/, "");
  if (!path.startsWith(`${root}/`)) return null;
  const below = path.slice(root.length + 1).split("/").map(encodeURIComponent).join("/");
  return `${baseUrl}${(appUrl ?? "/lab").replace(/^\//, "")}/tree/${below}`;
}

export default {
  render({ model, el }) {
    const show = () => {
      const path = model.get("path"), to = path && address(path, model.get("home"));
      const shown = document.createElement(to ? "a" : "span");
      shown.textContent = path;
      if (to) Object.assign(shown, { href: to, target: "_blank", rel: "noopener" });
      el.replaceChildren(...(path ? ["wrote ", shown] : []));
      el.classList.add("skymatch-written");
    };
    model.on("change:path", show);
    show();
    return () => model.off("change:path", show);
  },
};
