// The page's side of FigureView: BokehJS where the page has none, a fresh document for every view, patches both ways.

// What the page has asked the kernel for: promises by Bokeh version, shared by all figures, each of which loads this anew.
const wanted = (window.skymatchBokeh ??= {});

function bokehOf(version) {
  const bokeh = window.Bokeh;
  return bokeh?.version === version ? bokeh : bokeh?.[version];
}

// Bokeh writes the place of every part of a figure into a style sheet each time it paints, and asks for styles in between.
// Where the place is what it was, nothing need be written: the browser would work out the styles of the page each time.
function calmed(bokeh) {
  const sheet = bokeh.require("core/dom").InlineStyleSheet?.prototype, { replace } = sheet ?? {};
  if (!replace || replace.skymatch) return bokeh;
  sheet.replace = function (css, styles) { if (styles != null || css !== this.css) replace.call(this, css, styles); };
  sheet.replace.skymatch = true;
  return bokeh;
}

function loadBokeh(model, version) {
  if (bokehOf(version)) return Promise.resolve(calmed(bokehOf(version)));
  wanted[version] ??= ask(model, { kind: "bokehjs" }).then(({ content }) => {
    for (const source of content.sources) {
      const script = document.createElement("script");
      script.textContent = source;
      document.head.append(script);
      script.remove();
    }
    if (!bokehOf(version)) throw new Error(`BokehJS ${version} could not be loaded`);
    return calmed(bokehOf(version));
  });
  wanted[version].catch(() => { delete wanted[version]; });
  return wanted[version];
}

// Whether a change is of a range that the page computes itself, for its own view: others do, too.
const isOwn = ({ model, attr }) => model?.type === "DataRange1d" && (attr === "start" || attr === "end");

let asked = 0;

const AGAIN = [5000, 15000, 35000], PATIENCE = 60000;  // milliseconds after which a question is put again, and given up

// Send a question and wait for the message that answers it; messages are lost at times when a page is being opened.
function ask(model, question) {
  const to = `${Date.now()}-${Math.random()}-${++asked}`;
  return new Promise((resolve, reject) => {
    const put = () => model.send({ ...question, to });
    const giveUp = () => finish(() => reject(new Error("the kernel does not answer")));
    const timers = [...AGAIN.map((time) => setTimeout(put, time)), setTimeout(giveUp, PATIENCE)];
    const finish = (end) => { timers.forEach(clearTimeout); model.off("msg:custom", receive); end(); };
    const receive = (content, buffers) => {
      if (content.to !== to) return;
      finish(() => (content.kind === "error" ? reject(new Error(content.text)) : resolve({ content, buffers })));
    };
    model.on("msg:custom", receive);
    put();
  });
}

// Arrays of a message by the names that its JSON has for them.
const arraysOf = (content, buffers = []) => new Map((content.buffers ?? []).map((id, k) => {
  const { buffer, byteOffset, byteLength } = buffers[k];
  return [id, buffer.slice(byteOffset, byteOffset + byteLength)];
}));

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

const ROWS = ["member", "group", "group_a", "group_b", "of_a", "of_b", "index"];  // columns that tell what a row is of

// Sources of a document by their names; those without a name are shared with no other figure.
function sourcesOf(doc) {
  const models = [...(doc?.roots()[0]?.references() ?? [])];
  return new Map(models.filter((m) => m.type === "ColumnDataSource" && m.name).map((m) => [m.name, m]));
}

const rowsOf = (source) => JSON.stringify(ROWS.map((name) => [...(source.data[name] ?? [])]));

const indicesOf = (source) => JSON.stringify([...source.selected.indices]);

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
    let doc = null, forget = () => {}, applying = false, closed = false, latest = 0, shownDark = null, fitted = 0;
    let hidden = true, building = Promise.resolve(), before = new Map(), taps = new Map();
    const past = new Set();  // figures that were shown

    // The page keeps documents that nobody shows: take them away, else it grows with every theme and reload.
    const forgetting = (old, views, place) => () => {
      views.clear?.();
      const kept = window.Bokeh.documents, at = kept.indexOf(old);
      if (at >= 0) kept.splice(at, 1);
      place.remove();
    };

    // Patches name the figure that they are about: the other side may have made or asked for a new one meanwhile.
    const root = () => doc?.roots()[0]?.id;

    const isDark = () => document.body.dataset.jpThemeLight === "false";

    const leave = (of) => (event) => {
      if (applying || event.sync === false) return;
      const events = (event.events ?? [event]).filter((one) => !isOwn(one));
      if (host.ariaBusy === "true") events.forEach((one) => noteTap(of, one));
      if (of !== doc) return;
      if (events.length) model.send({ kind: "patch", origin, root: root(), patch: asText(doc.create_json_patch(events)) });
    };

    // What is selected in a figure while the next one is on its way: the kernel may know that figure no longer.
    const noteTap = (of, { model: changed, attr }) => {
      if (changed?.type !== "Selection" || attr !== "indices") return;
      const found = [...sourcesOf(of)].find(([, source]) => source.selected === changed);
      if (!found) return;
      const [name, source] = found;
      taps.set(name, { rows: rowsOf(source), indices: [...changed.indices] });
      if (of !== doc) replay();
    };

    // Select that in the next figure too, where it has the same rows and its selection is still that of before.
    const replay = () => {
      for (const [name, source] of sourcesOf(doc)) {
        const tap = taps.get(name);
        if (!tap || tap.rows !== rowsOf(source) || indicesOf(source) !== before.get(name)) continue;
        taps.delete(name);
        source.selected.indices = tap.indices;
      }
    };

    // One at a time, and beside the present figure, which stays and can be used until the next one is drawn.
    async function build(bokeh, content, buffers, turn) {
      if (closed || turn !== latest) return;
      fitted = content.width;
      const next = document.createElement("div");
      const made = bokeh.require("document").Document.from_json(JSON.parse(content.document), undefined, arraysOf(content, buffers));
      next.style.cssText = "height: 0; overflow: hidden; visibility: hidden";
      host.append(next);
      if (doc) past.add(root());
      doc = made;
      past.delete(root());
      doc.on_change(leave(made), true);
      replay();
      const views = await bokeh.embed.add_document_standalone(made, next);
      host.querySelector(".skymatch-waiting")?.remove();
      next.style.cssText = "";
      forget();
      forget = forgetting(made, views, next);
      if (closed) forget();
    }

    // Show the present figure; with ``fit`` it is first made for the width that there is now.
    async function renew(fit = false) {
      const turn = ++latest;
      if (host.ariaBusy !== "true") {
        host.ariaBusy = "true";  // until what is shown is current
        taps.clear();
        before = new Map([...sourcesOf(doc)].map(([name, source]) => [name, indicesOf(source)]));
      }
      try {
        const bokeh = await loadBokeh(model, model.get("version"));
        shownDark = isDark();
        const question = { kind: "document", dark: shownDark, width: await room(el), fit, origin };
        const { content, buffers } = await ask(model, question);
        if (closed || turn !== latest) return;
        await (building = building.catch(() => {}).then(() => build(bokeh, content, buffers, turn)));
      } catch (error) {
        const told = document.createElement("div");
        told.className = "skymatch-waiting";
        told.textContent = `This figure cannot be shown: ${error.message}`;
        host.replaceChildren(told);
      }
      if (turn === latest) host.ariaBusy = "false";
    }

    // A figure that the page has not heard of is the present one, unless it comes already.
    const change = (content, buffers) => {
      if (closed) return;
      if (content.root !== root()) {
        if (!past.has(content.root) && host.ariaBusy !== "true") renew();
        return;
      }
      applying = true;
      try {
        doc.apply_json_patch(JSON.parse(content.patch), arraysOf(content, buffers));
      } catch (error) {  // widgets do not tell of it
        console.error(error);
        renew();
      } finally {
        applying = false;
      }
    };

    // What is changed while a figure is built waits until it is: parts that are not there yet would not hear of it.
    const receive = (content, buffers) => {
      if (content.kind === "renew" && content.but !== origin) renew();
      if (content.kind !== "patch" || content.origin === origin) return;
      building.catch(() => {}).then(() => change(content, buffers));
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
