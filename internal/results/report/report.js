"use strict";
// Read-outs under the pointer and sortable columns. The page is complete without them.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const tip = document.querySelector(".tip");
  const number = (v, digits) => v.toLocaleString("en-US", { maximumFractionDigits: digits });
  const short = v => number(v, v >= 100 ? 0 : v >= 10 ? 1 : 2);
  const write = (unit, v) => {
    const { whole, scales } = data.units[unit];
    const scale = scales.find(s => v >= s.from);
    return (whole ? number(v / scale.size, 0) : short(v / scale.size)) + scale.suffix;
  };
  const fine = data.t.length > 1 && data.t[data.t.length - 1] - data.t[0] < 60000;
  const instant = ms => new Date(ms).toLocaleString("en-GB", {
    timeZone: "UTC", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit",
    fractionalSecondDigits: fine ? 1 : undefined,
  });

  const element = (name, text, className) => {
    const e = document.createElement(name);
    if (text !== undefined) e.textContent = text;
    if (className) e.className = className;
    return e;
  };
  const place = (x, y) => {
    const box = tip.getBoundingClientRect();
    const left = x + 16 + box.width > innerWidth ? x - 16 - box.width : x + 16;
    tip.style.left = Math.max(4, left) + "px";
    tip.style.top = Math.max(4, Math.min(y - box.height / 2, innerHeight - box.height - 4)) + "px";
  };

  const plots = [];
  const clear = () => {
    tip.hidden = true;
    for (const p of plots) p.cross.hidden = true;
  };
  // Every picture over time shows where the pointer is in one of them.
  const point = fraction => {
    for (const p of plots) {
      p.cross.hidden = false;
      p.cross.style.left = 100 * fraction + "%";
    }
  };
  const at = fraction => {
    const t = data.heat.start + fraction * (data.heat.end - data.heat.start);
    let low = 0, high = data.t.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (data.t[middle] <= t) low = middle; else high = middle - 1;
    }
    return low;
  };

  const listen = (plot, show) => {
    plots.push({ plot, cross: plot.querySelector(".cross") });
    let fraction = 0.5;
    const move = (f, x, y, row) => {
      fraction = Math.min(1, Math.max(0, f));
      if (!show(fraction, row)) { clear(); return; }
      tip.hidden = false;
      point(fraction);
      place(x, y);
    };
    plot.addEventListener("pointermove", e => {
      const box = plot.getBoundingClientRect();
      move((e.clientX - box.left) / box.width, e.clientX, e.clientY, (e.clientY - box.top) / box.height);
    });
    plot.addEventListener("pointerleave", clear);
    plot.addEventListener("blur", clear);
    plot.tabIndex = 0;
    plot.addEventListener("keydown", e => {
      const step = { ArrowLeft: -0.01, ArrowRight: 0.01 }[e.key];
      if (!step) return;
      e.preventDefault();
      const box = plot.getBoundingClientRect();
      const next = Math.min(1, Math.max(0, fraction + step));
      move(next, box.left + next * box.width, box.top + box.height / 2, 0);
    });
  };

  for (const figure of document.querySelectorAll("figure.chart")) {
    const plot = figure.querySelector(".plot");
    const series = [...figure.querySelectorAll(".legend li")].filter(li => li.dataset.key);
    if (!plot || !series.length) continue;
    listen(plot, fraction => {
      const i = at(fraction);
      tip.replaceChildren(element("strong", instant(data.t[i])));
      for (const li of [...series].reverse()) {
        const row = element("div");
        row.append(element("i", undefined, li.firstElementChild.className), li.textContent.trim(),
          element("b", write(li.dataset.unit || figure.dataset.unit, data.v[li.dataset.key][i])));
        tip.append(row);
      }
      return true;
    });
  }

  const strip = document.querySelector("#heat .plot");
  if (strip) {
    const { nodes, cells, start, end } = data.heat;
    listen(strip, (fraction, row) => {
      const r = Math.min(nodes.length - 1, Math.max(0, Math.floor(row * nodes.length)));
      const bins = cells[r].length;
      const b = Math.min(bins - 1, Math.floor(fraction * bins));
      tip.replaceChildren(element("strong", nodes[r]),
        element("span", cells[r][b] < 0 ? "not there" : cells[r][b] + "% requested"),
        element("small", instant(start + b * (end - start) / bins)));
      return true;
    });
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    const count = table.tBodies[0].rows.length;
    if (count > 20) {
      table.classList.add("cut");
      const more = element("button", "Show all " + count, "more");
      more.type = "button";
      more.addEventListener("click", () => { table.classList.remove("cut"); more.remove(); });
      table.after(more);
    }
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((th, column) => {
      const button = element("button", th.textContent);
      button.type = "button";
      th.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = th.getAttribute("aria-sort") !== "descending" && (column > 0 || th.hasAttribute("aria-sort"));
        for (const other of heads) other.removeAttribute("aria-sort");
        th.setAttribute("aria-sort", down ? "descending" : "ascending");
        const body = table.tBodies[0];
        const value = tr => tr.cells[column].dataset.v === undefined ? tr.cells[column].textContent.trim() : Number(tr.cells[column].dataset.v);
        const rows = [...body.rows].sort((a, b) => {
          const x = value(a), y = value(b);
          return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);
        });
        body.append(...rows);
      });
    });
  }
})();
