// The timeline of a signal, drawn with uPlot from <div data-uplot="/path.json">:
// the signal between its extremes, what was expected, zones of its limits and
// spells of anomaly, with the deviation index below. Dragging over the chart
// asks the server for the stretch in finer steps; a double click or the button
// data-uplot-reset leads back.
function tokens(...names) {
  const style = getComputedStyle(document.documentElement);
  return names.map((n) => style.getPropertyValue(n).trim());
}
const faint = (colour, alpha) => colour.replace(/\)$/, ` / ${alpha})`);
const rtl = document.documentElement.dir === "rtl";

// Times are shown in the plant's zone, with a 24-hour clock and Latin digits.
const locale = document.documentElement.lang === "ar" ? "ar-u-nu-latn-ca-gregory" : "en-GB";
const format = (options) => {
  const f = new Intl.DateTimeFormat(locale, { timeZone: "Asia/Riyadh", ...options });
  return (seconds) => f.format(new Date(seconds * 1000));
};
const day = format({ day: "numeric", month: "short" });
const clock = format({ hour: "2-digit", minute: "2-digit", hour12: false });
const moment = format({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false });
// tickText names days on a long axis; within days it gives the time, and the day where one begins.
function tickText(ticks) {
  const long = ticks.length > 1 && ticks[1] - ticks[0] >= 86400;
  return (t, i) => (long || i === 0 || day(t) !== day(ticks[i - 1]) ? day(t) : clock(t));
}

class Timeline {
  constructor(box) {
    this.box = box;
    this.charts = [];
    this.reset = document.querySelector(`[data-uplot-reset="${box.id}"]`);
    this.reset?.addEventListener("click", () => this.load());
    new ResizeObserver(() => {
      for (const c of this.charts) c.setSize({ width: this.width(), height: c.height });
    }).observe(box);
    this.load();
  }
  width() { return Math.max(160, this.box.clientWidth - 20); }

  // load draws the whole range, or the stretch between two moments.
  async load(from, to) {
    const url = new URL(this.box.dataset.uplot, location.href);
    if (from) {
      url.searchParams.set("from", Math.round(from));
      url.searchParams.set("to", Math.round(to));
    }
    this.box.setAttribute("aria-busy", "true");
    const answer = await fetch(url, { headers: { Accept: "application/json" } }).catch(() => null);
    this.box.removeAttribute("aria-busy");
    if (!answer?.ok) {
      this.clear();
      this.box.textContent = this.box.dataset.failed ?? "";
      return;
    }
    this.draw(await answer.json());
    if (this.reset) this.reset.hidden = !from;
    this.box.dataset.from = String(this.data.from);
    this.box.dataset.to = String(this.data.to);
    this.box.dataset.step = String(this.data.step);
  }

  clear() {
    for (const c of this.charts) c.destroy();
    this.charts = [];
    this.box.textContent = "";
  }

  draw(data) {
    this.clear();
    this.data = data;
    const [ink, grid, bad, warn, main, second, , index] = tokens("--ink-3", "--grid", "--bad", "--warn", "--series-1", "--series-2", "--series-3", "--series-4");
    this.colours = { ink, grid, bad, warn, main, second, index };
    const signal = this.signal(Number(this.box.dataset.height ?? 280));
    this.charts = [new uPlot(signal.options, signal.values, this.box)];
    if (data.index) {
      const below = this.deviation();
      this.charts.push(new uPlot(below.options, below.values, this.box));
    }
  }

  // common is what both charts share: the axes, the zone of time and zooming.
  common(height) {
    const { ink, grid } = this.colours;
    const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid }, font: "12px sans-serif" };
    return {
      width: this.width(),
      height,
      scales: { x: { dir: rtl ? -1 : 1, range: () => [this.data.from, this.data.to] } },
      axes: [{ ...axis, values: (_, ticks) => ticks.map(tickText(ticks)) }, { ...axis, side: rtl ? 1 : 3, size: 56 }],
      cursor: {
        sync: { key: this.box.id, setSeries: false, filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => () => { this.load(); return null; } },
      },
      hooks: { setSelect: [(u) => this.zoom(u)] },
    };
  }
  zoom(u) {
    if (u.select.width < 8) return;
    const ends = [u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")].sort((a, b) => a - b);
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.load(...ends);
  }
  time() { return { label: this.box.dataset.time ?? "", value: (_, v) => (v == null ? "–" : moment(v)) }; }

  signal(height) {
    const { main, second, bad, warn } = this.colours;
    const { data } = this;
    const looks = {
      mean: { stroke: main, width: 1.5 },
      low: { stroke: faint(main, 0.35), width: 1, points: { show: false } },
      high: { stroke: faint(main, 0.35), width: 1, points: { show: false } },
      expected: { stroke: second, width: 1.5, dash: [5, 4], spanGaps: true, points: { show: false } },
    };
    const at = (kind) => data.series.findIndex((s) => s.kind === kind) + 1;
    const options = this.common(height);
    options.series = [this.time(), ...data.series.map((s) => ({ label: s.unit ? `${s.label} (${s.unit})` : s.label, ...looks[s.kind] })),
      ...data.limits.map((l) => ({ label: l.label, stroke: l.kind === "alarm" ? bad : warn, width: 1, dash: [6, 4], points: { show: false } }))];
    options.bands = [{ series: [at("high"), at("low")], fill: faint(main, 0.16) }];
    options.hooks.drawClear = [(u) => { this.zones(u); this.shade(u); }];
    options.hooks.ready = [(u) => this.flags(u)];
    options.hooks.setSize = [(u) => this.flags(u)];
    return { options, values: [data.time, ...data.series.map((s) => s.values), ...data.limits.map((l) => data.time.map(() => l.value))] };
  }
  deviation() {
    const { index, bad } = this.colours;
    const d = this.data.index;
    const options = this.common(130);
    options.scales.y = { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max(1.5, (high ?? 0) * 1.1)] };
    options.series = [this.time(), { label: d.label, stroke: index, width: 1.5, fill: faint(index, 0.14) },
      { label: d.limit, stroke: bad, width: 1, dash: [6, 4], points: { show: false } }];
    options.hooks.drawClear = [(u) => this.shade(u)];
    return { options, values: [d.time, d.values, d.time.map(() => 1)] };
  }

  // zones tints what lies beyond the warning and the alarm limit.
  zones(u) {
    const { top, height, left, width } = u.bbox;
    for (const l of this.data.limits) {
      const y = Math.min(Math.max(u.valToPos(l.value, "y", true), top), top + height);
      u.ctx.fillStyle = faint(l.kind === "alarm" ? this.colours.bad : this.colours.warn, 0.07);
      if (l.low) u.ctx.fillRect(left, y, width, top + height - y);
      else u.ctx.fillRect(left, top, width, y - top);
    }
  }
  // shade darkens the spells of anomaly, at least two pixels wide.
  shade(u) {
    const { top, height } = u.bbox;
    u.ctx.fillStyle = faint(this.colours.bad, 0.13);
    for (const s of this.data.spans) {
      const [x, w] = this.place(u, s, u.bbox.left, u.bbox.width, true);
      if (w > 0) u.ctx.fillRect(x, top, w, height);
    }
  }
  // place gives the left end and the width of a spell inside the plot.
  place(u, span, left, width, canvas) {
    const ends = [u.valToPos(span.from, "x", canvas), u.valToPos(span.to, "x", canvas)].sort((a, b) => a - b);
    const from = Math.max(ends[0], left), to = Math.min(Math.max(ends[1], ends[0] + 2), left + width);
    return [from, to - from];
  }
  // flags lays a link over the top of every spell that has an alert.
  flags(u) {
    for (const old of u.over.querySelectorAll(".uplot-flag")) old.remove();
    for (const s of this.data.spans) {
      const [x, w] = this.place(u, s, 0, u.over.clientWidth, false);
      if (w <= 0 || !s.href) continue;
      const a = document.createElement("a");
      a.className = "uplot-flag";
      a.href = s.href;
      a.dataset.tip = s.label;
      a.setAttribute("aria-label", s.label);
      a.style.left = `${x}px`;
      a.style.width = `${Math.max(w, 12)}px`;
      u.over.append(a);
    }
  }
}

function timelines() {
  for (const box of document.querySelectorAll("[data-uplot]:not([data-drawn])")) {
    box.dataset.drawn = "1";
    new Timeline(box);
  }
}
addEventListener("DOMContentLoaded", timelines);
document.addEventListener("htmx:after:swap", timelines);
