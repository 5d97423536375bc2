"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const chart = $("chart"), tip = $("tip");
  const LEAST = 0.2; // seconds that fill the width when zoomed in all the way
  let from = 0, to = data.length_s, mouse = null, planned = false;
  let width = 0, gutter = 0, places = [];

  // ---- words

  const clock = (t, parts = 0) => {
    const ms = Math.max(0, Math.round(t * 1000)), s = Math.floor(ms / 1000);
    const two = (n) => String(n).padStart(2, "0");
    const hours = Math.floor(s / 3600), minutes = Math.floor(s / 60) % 60;
    const text = hours ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
    return parts ? `${text}.${String(ms % 1000).padStart(3, "0").slice(0, parts)}` : text;
  };
  const long = (s) => s < 1 ? `${Math.round(s * 1000)} ms` : s < 100 ? `${+s.toFixed(2)} s` : clock(s);
  const safe = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

  // ---- the picture

  const STEPS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800];
  const x = (t) => gutter + ((t - from) / (to - from)) * (width - gutter);
  const time = (px) => from + ((px - gutter) / Math.max(1, width - gutter)) * (to - from);

  // Bars too small to be seen become one of the look that matters most.
  const drawBars = (bars, y, height, out) => {
    let heap = null;
    const small = [];
    const flush = () => {
      if (heap) small.push(`<rect class="${heap.look}" x="${heap.x0.toFixed(1)}" y="${y}" width="${Math.max(2, heap.x1 - heap.x0).toFixed(1)}" height="${height}"/>`);
      heap = null;
    };
    for (const bar of bars) {
      if (bar.to <= from) continue;
      if (bar.from >= to) break;
      const x0 = Math.max(gutter, x(bar.from)), x1 = Math.min(width, x(bar.to));
      if (x1 - x0 < 2) {
        if (heap && x0 - heap.x1 < 1 && heap.x1 - heap.x0 < 3) {
          heap.x1 = Math.max(heap.x1, x1);
          if (weight(bar.look) > weight(heap.look)) heap.look = bar.look;
        } else {
          flush();
          heap = { x0, x1: Math.max(x1, x0 + 0.5), look: bar.look };
        }
        continue;
      }
      flush();
      out.push(`<rect class="${bar.look}" x="${x0.toFixed(1)}" y="${y}" width="${(x1 - x0).toFixed(1)}" height="${height}"/>`);
      if (bar.held) out.push(`<rect class="held" x="${x0.toFixed(1)}" y="${y}" width="${(x1 - x0).toFixed(1)}" height="${height}"/>`);
      if (bar.label && height >= 12) {
        const room = Math.floor((x1 - x0 - 8) / (height < 14 ? 5.8 : 6.6));
        const text = bar.label.length <= room ? bar.label : room > 3 ? bar.label.slice(0, room - 1) + "…" : "";
        const ink = /^(filler|suspect|rests|gap)$/.test(bar.look) ? "in dark" : /^(s\d|black|nothing|gap over|failed|down|fault|mark)/.test(bar.look) ? "in" : "";
        if (text) out.push(`<text class="${ink}${height < 14 ? " small" : ""}" x="${(x0 + 4).toFixed(1)}" y="${(y + height / 2 + 4).toFixed(1)}">${safe(text)}</text>`);
      }
    }
    flush();
    // On top of their neighbours, which would cover half of them.
    out.push(...small);
  };
  const WEIGHTS = ["gap over", "gap", "nothing", "down", "failed", "black", "lost", "connecting", "suspect", "rests", "filler", "fault"];
  const weight = (look) => { const at = WEIGHTS.indexOf(look); return at < 0 ? 0 : WEIGHTS.length - at; };

  // Ticks that would cover each other are one, with a count.
  const drawTicks = (ticks, y, height, out) => {
    let i = 0;
    while (i < ticks.length && ticks[i].t < from) i++;
    while (i < ticks.length && ticks[i].t < to) {
      const start = i, x0 = x(ticks[i].t);
      while (i < ticks.length && ticks[i].t < to && x(ticks[i].t) - x0 < 9) i++;
      const some = ticks.slice(start, i), middle = y + height / 2;
      const bad = some.find((tick) => /refused|alarm/.test(tick.look));
      const look = some.length === 1 ? some[0].look : bad ? bad.look : "tick-many";
      out.push(`<path class="${look}" d="M${x0.toFixed(1)} ${y + 2}l5 ${height / 2 - 2}l-5 ${height / 2 - 2}l-5 -${height / 2 - 2}z"/>`);
      const room = (i < ticks.length ? x(ticks[i].t) : width) - x0 - 14;
      const words = some.length === 1 ? some[0].label : `${some.length}×`;
      if (words && words.length * 6.6 < room) out.push(`<text class="soft" x="${(x0 + 8).toFixed(1)}" y="${middle + 4}">${safe(words)}</text>`);
    }
  };

  // Flags above the rows for gaps that are too long, and bands down to the last row: no zoom hides one.
  const drawFlags = (bottom, under, over) => {
    const bars = data.over.filter((bar) => bar.to > from && bar.from < to);
    const bands = [];
    for (const bar of bars) {
      const x0 = Math.max(gutter, x(bar.from)), x1 = Math.min(width, x(bar.to)), last = bands.at(-1);
      if (last && x0 <= last.x1) {
        last.x1 = Math.max(last.x1, x1);
        last.bars.push(bar);
      } else {
        bands.push({ x0, x1: Math.max(x1, x0 + 2), bars: [bar] });
      }
    }
    for (let i = 0; i < bands.length;) {
      const { x0 } = bands[i], some = [];
      const words = () => some.length === 1 ? some[0].label : `${some.length} gaps`;
      const room = () => 12 + 7 * words().length;
      do some.push(...bands[i++].bars); while (i < bands.length && bands[i].x0 < x0 + room() + 2);
      const left = Math.max(gutter, Math.min(x0, width - room()));
      over.push(`<rect class="flag" x="${left.toFixed(1)}" y="18" width="${room()}" height="18" rx="2"/><text class="flagged" x="${(left + 6).toFixed(1)}" y="31.5">${safe(words())}</text>`);
    }
    for (const { x0, x1 } of bands) {
      under.push(`<rect class="band" x="${x0.toFixed(1)}" y="36" width="${(x1 - x0).toFixed(1)}" height="${bottom - 36}"/><path class="edge" d="M${x0.toFixed(1)} 36V${bottom}"/>`);
    }
  };

  const draw = () => {
    planned = false;
    width = Math.max(200, chart.clientWidth);
    const narrow = width < 620;
    gutter = narrow ? 0 : Math.min(240, 30 + 6.6 * Math.max(8, ...data.rows.map((row) => row.head ? 0 : row.name.length)));
    const bar = 20, out = [], grid = [], bands = [], flags = [];
    let y = data.over.length ? 40 : 20;
    places = [];
    if (data.over.length) {
      if (!narrow) out.push('<text class="head" x="0" y="31">Too long</text>');
      places.push({ y: 16, bottom: 38, flags: true, row: { name: "Too long", ticks: [], over: [], lanes: [data.over] } });
    }
    for (const row of data.rows) {
      if (row.head) {
        y += 8;
        out.push(`<text class="head" x="0" y="${y + 12}">${safe(row.name)}</text>`);
        y += 18;
        continue;
      }
      if (narrow) {
        out.push(`<text class="soft" x="0" y="${y + 11}">${safe(row.name)}</text>`);
        y += 15;
      } else {
        const room = Math.floor((gutter - 12) / 6.2);
        const name = row.name.length > room ? row.name.slice(0, room - 1) + "…" : row.name;
        out.push(`<text class="soft" x="8" y="${y + 14}">${safe(name)}</text>`);
      }
      const lanes = row.lanes.length || 1;
      const top = row.over.length ? 13 : 0, height = lanes > 1 ? 16 : bar, tall = top + lanes * height;
      out.push(`<rect class="base" x="${gutter}" y="${y}" width="${width - gutter}" height="${tall}"/>`);
      row.lanes.forEach((lane, i) => drawBars(lane, y + top + i * height, height - (lanes > 1 ? 1 : 0), out));
      drawBars(row.over, y, top - 1, out);
      drawTicks(row.ticks, y, bar, out);
      places.push({ y, bottom: y + tall, row });
      y += tall + 5;
    }
    drawFlags(y, bands, flags);
    const step = STEPS.find((s) => (s / (to - from)) * (width - gutter) >= 74) || STEPS.at(-1);
    const parts = step < 0.1 ? 2 : step < 1 ? 1 : 0;
    for (let t = Math.ceil(from / step) * step; t < to; t += step) {
      const at = x(t).toFixed(1);
      grid.push(`<path class="grid" d="M${at} 16V${y}"/><text class="soft" x="${at}" y="11">${clock(t + 1e-6, parts)}</text>`);
    }
    if (mouse !== null && mouse >= gutter) grid.push(`<path class="cursor" d="M${mouse} 16V${y}"/>`);
    const hatch = '<defs><pattern id="held" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="2" height="6" fill="#fff" fill-opacity=".55"/></pattern></defs>';
    chart.innerHTML = `<svg viewBox="0 0 ${width} ${y}" height="${y}">${hatch}${grid.join("")}${out.join("")}${bands.join("")}${flags.join("")}</svg>`;
    chart.setAttribute("aria-label", `Timeline of ${data.show}, ${clock(from)} to ${clock(to)}`);
    $("window").textContent = `${clock(from, to - from < 20 ? 1 : 0)} – ${clock(to, to - from < 20 ? 1 : 0)}`;
  };
  const plan = () => { if (!planned) { planned = true; requestAnimationFrame(draw); } };

  const show = (a, b) => {
    const length = Math.min(data.length_s, Math.max(LEAST, b - a));
    from = Math.min(Math.max(0, a), data.length_s - length);
    to = from + length;
    plan();
  };
  const zoom = (factor, at = (from + to) / 2) => show(at - (at - from) * factor, at + (to - at) * factor);

  // ---- what is under the pointer

  const tell = (event) => {
    const box = chart.getBoundingClientRect(), px = event.clientX - box.left, py = event.clientY - box.top;
    const place = places.find((p) => py >= p.y && py < p.bottom);
    mouse = px;
    plan();
    if (!place || px < gutter) { tip.hidden = true; return; }
    const reach = time(px + 3) - time(px), t = time(px), said = [];
    const look = (bar) => said.push(`${clock(bar.from, 3)} – ${clock(bar.to, 3)} (${long(bar.to - bar.from)})  ${bar.tip}`);
    for (const tick of place.row.ticks) if (Math.abs(tick.t - t) <= reach * 2) said.push(`${clock(tick.t, 3)}  ${tick.tip}`);
    for (const lane of [place.row.over, ...place.row.lanes]) {
      // A flag is wider than what it is of.
      const back = place.flags ? time(px) - time(px - 70) : reach;
      lane.filter((bar) => bar.to > t - back && bar.from <= t + reach).forEach(look);
    }
    if (!said.length) { tip.hidden = true; return; }
    const more = said.length > 6 ? `\n… and ${said.length - 6} more` : "";
    tip.textContent = `${place.row.name}, ${clock(t, 1)}\n${said.slice(0, 6).join("\n")}${more}`;
    tip.hidden = false;
    const left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
    const below = event.clientY + 18 + tip.offsetHeight < window.innerHeight;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${below ? event.clientY + 18 : Math.max(8, event.clientY - tip.offsetHeight - 12)}px`;
  };

  const fingers = new Map();
  let gripped = null;
  chart.addEventListener("wheel", (event) => {
    // All of it is seen, and it shall be smaller: then the page scrolls.
    const whole = to - from >= data.length_s - 1e-9;
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      if (whole) return;
      const by = (event.deltaX / (width - gutter)) * (to - from);
      show(from + by, to + by);
    } else {
      if (whole && event.deltaY > 0) return;
      const px = event.clientX - chart.getBoundingClientRect().left;
      if (px < gutter) return;
      zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.004), time(px));
    }
    event.preventDefault();
  }, { passive: false });
  const grip = () => {
    const xs = [...fingers.values()];
    gripped = xs.length ? { xs, from, to } : null;
    chart.classList.toggle("dragged", xs.length > 0);
  };
  chart.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, event.clientX);
    chart.setPointerCapture(event.pointerId);
    grip();
    tell(event);
  });
  chart.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) { tell(event); return; }
    fingers.set(event.pointerId, event.clientX);
    const xs = [...fingers.values()], was = gripped, per = (was.to - was.from) / (width - gutter);
    if (xs.length === 1) {
      const by = (was.xs[0] - xs[0]) * per;
      show(was.from + by, was.to + by);
    } else {
      const left = chart.getBoundingClientRect().left + gutter;
      const spread = Math.max(10, Math.abs(was.xs[1] - was.xs[0])) / Math.max(10, Math.abs(xs[1] - xs[0]));
      const centre = was.from + ((was.xs[0] + was.xs[1]) / 2 - left) * per;
      show(centre - (centre - was.from) * spread, centre + (was.to - centre) * spread);
    }
    tip.hidden = true;
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    chart.addEventListener(kind, (event) => { fingers.delete(event.pointerId); grip(); });
  }
  chart.addEventListener("pointerleave", () => { mouse = null; tip.hidden = true; plan(); });
  chart.addEventListener("keydown", (event) => {
    const part = (to - from) / 5;
    const acts = {
      "+": () => zoom(0.6), "=": () => zoom(0.6), "-": () => zoom(1 / 0.6), "0": () => show(0, data.length_s),
      ArrowLeft: () => show(from - part, to - part), ArrowRight: () => show(from + part, to + part),
    };
    if (event.ctrlKey || event.metaKey || !acts[event.key]) return;
    acts[event.key]();
    event.preventDefault();
  });
  $("in").onclick = () => zoom(0.5);
  $("out").onclick = () => zoom(2);
  $("all").onclick = () => show(0, data.length_s);
  new ResizeObserver(plan).observe(chart);

  // ---- words around it

  const make = (name, text, cls) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (cls) element.className = cls;
    return element;
  };
  $("title").textContent = data.title;
  $("verdict").textContent = data.verdict;
  $("verdict").classList.toggle("failed", data.failed);
  data.facts.forEach((fact) => $("facts").append(make("li", fact)));
  for (const [look, label] of data.legend) {
    const item = make("span");
    item.innerHTML = `<svg viewBox="0 0 18 12"><rect class="${look}" x="1" y="1" width="16" height="10"/></svg>`;
    item.append(label);
    $("legend").append(item);
  }

  const fill = (table, of) => {
    const head = make("tr");
    of.columns.forEach((name) => head.append(make("th", name)));
    const thead = make("thead"), body = make("tbody");
    thead.append(head);
    for (const row of of.rows) {
      const line = make("tr", undefined, row.over ? "over" : "");
      row.cells.forEach((cell, i) => {
        const box = make("td", i === 0 ? undefined : cell, i < of.times ? "t" : "");
        if (i === 0) {
          const jump = make("button", cell);
          jump.type = "button";
          jump.title = "Show it in the timeline";
          jump.onclick = () => {
            const around = Math.max(1, (row.to - row.from) * 0.6);
            show(row.from - around, row.to + around);
            chart.scrollIntoView({ block: "start" });
          };
          box.append(jump);
        }
        line.append(box);
      });
      body.append(line);
    }
    table.append(thead, body);
  };
  for (const of of data.tables) {
    const part = make("details"), scroll = make("div", undefined, "scroll"), table = make("table");
    part.append(make("summary", `${of.title} (${of.count})`));
    if (of.rows.length) {
      // Long ones are made when they are wanted.
      part.addEventListener("toggle", () => { if (!table.firstChild) fill(table, of); });
      scroll.append(table);
      part.append(scroll);
    } else {
      part.append(make("p", of.none, "none"));
    }
    if (of.note) part.append(make("p", of.note, "none"));
    part.open = of.open;
    $("tables").append(part);
  }
  draw();
})();
