// A table whose rows can be selected and sorted: by mouse, and by keyboard with arrows, space and Enter.

// Number that a cell shows; missing ones sort after all others.
function numberOf(text) {
  const number = parseFloat(text.replace("−", "-"));
  return Number.isNaN(number) ? Infinity : number;
}

// What a table has but rows: its head, and what stands below it.
const frameOf = (made) => `${made.querySelector("thead")?.innerHTML} ${made.querySelector(":scope > p")?.textContent}`;

export default {
  render({ model, el }) {
    let rows = [], frame = "";  // rows as Python made them; all else of the table
    let sorted = null;  // the column and direction that rows are sorted by

    const mark = () => {
      const chosen = new Set(model.get("selected"));
      rows.forEach((row, k) => {
        const now = String(chosen.has(k));
        if (row.getAttribute("aria-selected") !== now) row.setAttribute("aria-selected", now);
      });
    };

    const order = () => {
      const body = el.querySelector("tbody"), heads = [...el.querySelectorAll("th")];
      heads.forEach((head) => head.removeAttribute("aria-sort"));
      const shown = [...rows];
      if (sorted && heads[sorted.column]) {
        const { column, sign } = sorted, asText = heads[column].classList.contains("text");
        const compare = (a, b) => {
          const [x, y] = [a.cells[column].textContent, b.cells[column].textContent];
          if (asText) return sign * x.localeCompare(y, undefined, { numeric: true });
          const [m, n] = [numberOf(x), numberOf(y)];
          return m === n ? 0 : m === Infinity ? 1 : n === Infinity ? -1 : sign * (m - n);
        };
        shown.sort(compare);
        heads[column].setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      }
      if (shown.some((row, k) => row !== body.rows[k])) body.append(...shown);
      const first = shown.find((row) => row.tabIndex === 0) ?? shown[0];
      if (first) first.tabIndex = 0;
    };

    const dress = (cell) => cell.classList.toggle("long", cell.textContent.length > 30);

    // Show the cells that are not as they were, where all else is: so the page has little to lay out again.
    const renew = (made) => {
      const next = [...made.querySelectorAll("tbody tr")];
      if (!rows.length || frameOf(made) !== frame || next.length !== rows.length) return false;
      next.forEach((row, k) => [...row.cells].forEach((cell, c) => {
        const old = rows[k].cells[c];
        if (old.textContent === cell.textContent) return;
        old.replaceChildren(...cell.childNodes);
        if (old.classList.contains("text")) dress(old);
      }));
      return true;
    };

    const make = (made) => {
      const scroll = el.querySelector(".scroll"), place = [scroll?.scrollLeft ?? 0, scroll?.scrollTop ?? 0];
      frame = frameOf(made);
      el.replaceChildren(made);
      el.querySelectorAll("td.text").forEach(dress);
      rows = [...el.querySelectorAll("tbody tr")];
      rows.forEach((row) => (row.tabIndex = -1));
      el.querySelectorAll("th").forEach((head) => { head.tabIndex = 0; head.title = "sort"; });
      el.querySelector(".scroll")?.scrollTo(...place);
    };

    const draw = () => {
      const template = document.createElement("template");
      template.innerHTML = model.get("html");  // every text in it was escaped where it was made
      if (!renew(template.content)) make(template.content);
      order();
      mark();
    };

    const choose = (row, more) => {
      const k = rows.indexOf(row), before = model.get("selected");
      const alone = before.length === 1 && before[0] === k;
      const others = before.filter((other) => other !== k);
      const chosen = more ? (others.length < before.length ? others : [...before, k]) : alone ? [] : [k];
      model.set("selected", chosen.sort((a, b) => a - b));
      model.save_changes();
      mark();
    };

    const sortBy = (head) => {
      const column = [...head.parentElement.cells].indexOf(head);
      const next = { 0: 1, 1: -1, "-1": 0 }[sorted?.column === column ? sorted.sign : 0];  // up, down, as it was
      sorted = next ? { column, sign: next } : null;
      order();
    };

    const act = (event, at) => {
      const head = at.closest("th"), row = at.closest("tbody tr");
      if (head) sortBy(head);
      if (row) choose(row, event.ctrlKey || event.metaKey || event.shiftKey);
      return head || row;
    };

    const press = (event) => {
      if ((event.key === " " || event.key === "Enter") && act(event, event.target)) event.preventDefault();
      const row = event.target.closest("tbody tr");
      const next = { ArrowDown: row?.nextElementSibling, ArrowUp: row?.previousElementSibling }[event.key];
      if (!next) return;
      [row.tabIndex, next.tabIndex] = [-1, 0];
      next.focus();
      event.preventDefault();
      event.stopPropagation();
    };

    const click = (event) => act(event, event.target);
    el.addEventListener("click", click);
    el.addEventListener("keydown", press);
    model.on("change:html", draw);
    model.on("change:selected", mark);
    draw();
    return () => {
      el.removeEventListener("click", click);
      el.removeEventListener("keydown", press);
      model.off("change:html", draw);
      model.off("change:selected", mark);
    };
  },
};
