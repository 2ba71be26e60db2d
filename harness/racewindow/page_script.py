"""The one script of every page: filters, which order is shown, tables of many steps, keys.

A page is read without it, and it reads nothing but the page. Its digest is in the policy of the page, so that a browser
runs no other.
"""

SCRIPT = """
(() => {
  const PIECE = 500;
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const made = (name, text, more = {}) => Object.assign(document.createElement(name), {textContent: text, ...more});
  const number = count => count.toLocaleString("en");

  // What is wider than the window is scrolled by the arrow keys.
  const wide = new ResizeObserver(entries => {
    for (const {target} of entries) {
      const scrolls = target.scrollWidth > target.clientWidth;
      const caption = target.querySelector("caption")?.textContent || "table";
      for (const [name, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", caption]])
        if (scrolls) target.setAttribute(name, value); else target.removeAttribute(name);
    }
  });
  const watch = root => all(".wide", root).forEach(each => wide.observe(each));
  watch();

  // The table of every step: text until it is opened, since 20,000 rows take a browser long; then a piece at a time.
  const listing = source => {
    const details = source.parentElement, summary = details.querySelector("summary");
    const note = summary.appendChild(made("span", "", {className: "soft"}));
    const holder = details.appendChild(made("div", ""));
    const buttons = made("p", ""), more = made("button", ""), rest = made("button", "");
    buttons.append(more, " ", rest);
    let head, rows, fitting, shown = 0;
    const read = () => {
      const lines = source.textContent.split("\\n");
      head = lines[0] + lines[lines.length - 1];
      rows = fitting = lines.slice(1, -1).map(html => {
        const [, lane, objects, time] = html.match(/data-lane="(.*?)" data-objects="(.*?)" data-time="(.*?)"/);
        return {html, lane, objects, time};
      });
    };
    const add = () => {
      const piece = fitting.slice(shown, shown + PIECE), block = made("tbody", "", {className: "block"});
      block.style.containIntrinsicHeight = "auto " + 27 * piece.length + "px";
      block.innerHTML = piece.map(row => row.html).join("");
      holder.querySelector("table").append(block);
      shown += piece.length;
      const left = fitting.length - shown;
      more.textContent = "Show " + number(Math.min(PIECE, left)) + " more";
      rest.textContent = "Show all " + number(left) + " that are left";
      buttons.hidden = !left;
    };
    const addAll = () => {
      add();
      if (shown < fitting.length) requestAnimationFrame(addAll);
    };
    const draw = () => {
      if (!details.open) return;
      if (!rows) read();
      holder.innerHTML = head;
      holder.append(buttons);
      shown = 0;
      add();
      watch(holder);
    };
    more.addEventListener("click", add);
    rest.addEventListener("click", () => { summary.focus({preventScroll: true}); addAll(); });
    details.addEventListener("toggle", () => { if (details.open && !shown) draw(); });
    return fits => {
      if (!rows) read();
      fitting = fits ? rows.filter(fits) : rows;
      note.textContent = fits ? " (" + number(fitting.length) + " fit the filter)" : "";
      draw();
      return [fitting.length, rows.length];
    };
  };
  const listings = all("details > noscript").map(listing);

  // What is drawn: each list of rows is one stop of the Tab key, and the arrow keys go on from there.
  const lists = all("ol.steps");
  const rowsOf = list => all(".row[tabindex]", list).filter(row => !row.closest("[hidden]"));
  const stopAt = row => {
    for (const each of all(".row[tabindex]", row.closest("ol"))) each.tabIndex = each === row ? 0 : -1;
  };
  const stops = () => {
    for (const list of lists) {
      const rows = rowsOf(list), now = rows.find(row => row.tabIndex === 0);
      if (rows.length && (!now || rows.filter(row => row.tabIndex === 0).length > 1))
        stopAt(rows.find(row => row.matches(".first,.second")) || rows[0]);
    }
  };
  const beside = (row, key) => {
    const list = row.closest("ol"), rows = rowsOf(list), at = rows.indexOf(row);
    const places = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1};
    if (key in places) return rows[places[key]];
    const other = lists[lists.indexOf(list) + ({ArrowRight: 1, ArrowLeft: -1}[key] || 0)];
    return other === list || !other ? null : rowsOf(other).find(each => each.tabIndex === 0);
  };
  const hush = () => { for (const row of all(".row:hover,.row:focus")) row.classList.add("quiet"); };
  const speak = event => { const row = event.target.closest(".row"); if (row) row.classList.remove("quiet"); };
  document.addEventListener("keydown", event => {
    if (event.key === "Escape") return hush();
    const row = event.target, plain = !event.altKey && !event.ctrlKey && !event.metaKey;
    const next = plain && row.matches && row.matches(".row[tabindex]") && beside(row, event.key);
    if (next) { event.preventDefault(); next.focus(); }
  });
  document.addEventListener("focusin", event => {
    if (event.target.matches(".row[tabindex]")) stopAt(event.target);
    speak(event);
  });
  for (const list of lists) list.addEventListener("mouseover", event => {
    if (!event.relatedTarget || event.relatedTarget.closest?.(".row") !== event.target.closest(".row")) speak(event);
  });
  stops();

  // The filter, over what is drawn and over the tables.
  const form = document.getElementById("filter");
  if (!form) return;
  const drawn = all("li[data-lane]"), between = all(".gap,.tick"), orders = all(".orders > article");
  const said = document.getElementById("shown");
  const chosen = () => {
    const {lane: {value: lane}, object: {value: object}, from, to} = form.elements;
    const least = from.value === "" ? -Infinity : +from.value, most = to.value === "" ? Infinity : +to.value;
    if (!lane && !object && least === -Infinity && most === Infinity) return null;
    return row => (!lane || row.lane === lane) && row.time >= least && row.time <= most &&
      (!object || (" " + row.objects + " ").includes(" " + object + " "));
  };
  const apply = () => {
    const fits = chosen(), seen = drawn.filter(row => !(row.hidden = !!fits && !fits(row.dataset)));
    for (const row of between) row.hidden = !!fits;
    const order = form.elements.order?.value || "both";
    orders.forEach((each, at) => { each.hidden = order !== "both" && order !== String(at); });
    orders[0].parentElement.classList.toggle("one", orders.length === 1 || order !== "both");
    const counts = listings.map(filtered => filtered(fits));
    const [found, whole] = [0, 1].map(which => counts.reduce((sum, each) => sum + each[which], 0));
    const steps = whole ? "; " + number(found) + " of " + number(whole) + " steps in the tables" : "";
    said.textContent = fits ? seen.length + " of " + drawn.length + " rows" + steps : "";
    stops();
  };
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", event => event.preventDefault());
  if (chosen() || (form.elements.order?.value || "both") !== "both") apply();
})();
"""
