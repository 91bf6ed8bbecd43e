// The page's side of FigureView: BokehJS where the page has none, a fresh document for every view, patches both ways.

// What the page has asked the kernel for: promises by Bokeh version, shared by all figures, each of which loads this anew.
const wanted = (window.skymatchBokeh ??= {});

function bokehOf(version) {
  const bokeh = window.Bokeh;
  return bokeh?.version === version ? bokeh : bokeh?.[version];
}

function loadBokeh(model, version) {
  if (bokehOf(version)) return Promise.resolve(bokehOf(version));
  wanted[version] ??= ask(model, { kind: "bokehjs" }).then(({ content }) => {
    for (const source of content.sources) {
      const script = document.createElement("script");
      script.textContent = source;
      document.head.append(script);
      script.remove();
    }
    if (!bokehOf(version)) throw new Error(`BokehJS ${version} could not be loaded`);
    return bokehOf(version);
  });
  wanted[version].catch(() => { delete wanted[version]; });
  return wanted[version];
}

// Whether a change is of a range that the page computes itself, for its own view: others do, too.
const isOwn = ({ model, attr }) => model?.type === "DataRange1d" && (attr === "start" || attr === "end");

let asked = 0;

// Send a question and wait for the message that answers it.
function ask(model, question) {
  const to = `${Date.now()}-${Math.random()}-${++asked}`;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(() => reject(new Error("the kernel does not answer"))), 60000);
    const finish = (end) => { clearTimeout(timer); model.off("msg:custom", receive); end(); };
    const receive = (content) => {
      if (content.to !== to) return;
      finish(() => (content.kind === "error" ? reject(new Error(content.text)) : resolve({ content })));
    };
    model.on("msg:custom", receive);
    model.send({ ...question, to });
  });
}

// Binary parts of a patch as base64 text, which Python reads.
function asText(patch) {
  return JSON.stringify(patch, (_key, value) => {
    const bytes = value instanceof ArrayBuffer ? value : value?.buffer;
    if (!(bytes instanceof ArrayBuffer)) return value;
    let text = "";
    for (const byte of new Uint8Array(bytes)) text += String.fromCharCode(byte);
    return btoa(text);
  });
}

const NOTICED = 40;  // pixels by which a width must grow for a figure to be made anew; one that is too wide is at once

// Width in pixels of an element, or in a hidden tab that of the tabs; 0 where the page is not laid out within a second.
async function room(element) {
  for (let tries = 0; tries < 20; tries++) {
    let at = element;
    for (let up = 0; at && up < 4; up++, at = at.parentElement) if (at.clientWidth) return at.clientWidth;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return 0;
}

export default {
  render({ model, el }) {
    const origin = `${Date.now()}-${Math.random()}`;
    const host = document.createElement("div");
    host.className = "skymatch-figure";
    host.innerHTML = '<div class="skymatch-waiting" role="status">waiting for the figure</div>';
    el.append(host);
    let doc = null, views = null, applying = false, closed = false, latest = 0, shownDark = null, fitted = 0, hidden = true;
    let building = Promise.resolve();

    // The page keeps documents that nobody shows: take ours away, else it grows with every theme and reload.
    const forget = () => {
      views?.clear?.();
      const kept = window.Bokeh?.documents, place = kept?.indexOf(doc) ?? -1;
      if (place >= 0) kept.splice(place, 1);
      doc = views = null;
    };

    // Patches name the figure that they are about: the other side may have made or asked for a new one meanwhile.
    const root = () => doc?.roots()[0]?.id;

    const isDark = () => document.body.dataset.jpThemeLight === "false";

    const leave = (event) => {
      if (applying || event.sync === false) return;
      const events = (event.events ?? [event]).filter((one) => !isOwn(one));
      if (events.length) model.send({ kind: "patch", origin, root: root(), patch: asText(doc.create_json_patch(events)) });
    };

    // One at a time: views of a figure that is still being built could not be taken away for the next one.
    async function build(bokeh, content, turn) {
      if (closed || turn !== latest) return;
      fitted = content.width;
      host.style.minHeight = `${host.clientHeight}px`;  // what stands below does not jump
      forget();
      host.replaceChildren();
      doc = bokeh.require("document").Document.from_json(JSON.parse(content.document));
      doc.on_change(leave, true);
      views = await bokeh.embed.add_document_standalone(doc, host);
      host.style.minHeight = "";
      if (closed) forget();
    }

    // Show the present figure; with ``fit`` it is first made for the width that there is now.
    async function renew(fit = false) {
      const turn = ++latest;
      try {
        const bokeh = await loadBokeh(model, model.get("version"));
        shownDark = isDark();
        const { content } = await ask(model, { kind: "document", dark: shownDark, width: await room(el), fit, origin });
        if (closed || turn !== latest) return;
        await (building = building.catch(() => {}).then(() => build(bokeh, content, turn)));
      } catch (error) {
        host.textContent = `This figure cannot be shown: ${error.message}`;
      }
    }

    const receive = (content) => {
      if (content.kind === "renew" && content.but !== origin) renew();
      if (content.kind !== "patch" || content.origin === origin || content.root !== root()) return;
      applying = true;
      try {
        doc.apply_json_patch(JSON.parse(content.patch));
      } finally {
        applying = false;
      }
    };

    model.on("msg:custom", receive);
    const theme = new MutationObserver(() => { if (isDark() !== shownDark) renew(); });
    let timer = 0;
    const other = (width) => width < fitted - 4 || width > fitted + NOTICED;
    const resized = () => { if (el.clientWidth && doc && other(el.clientWidth)) renew(true); };
    const size = new ResizeObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(resized, hidden ? 0 : 300);  // a tab that is opened need not wait for a window's edge to rest
      hidden = !el.clientWidth;
    });
    size.observe(el);
    theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
    renew();
    return () => {
      closed = true;
      theme.disconnect();
      size.disconnect();
      clearTimeout(timer);
      model.off("msg:custom", receive);
      forget();
    };
  },
};
