// House script: small behaviours by delegation, so they also hold for markup
// that htmx swaps in. It never parses HTML and never evaluates text, which
// keeps it inside the page's Trusted Types policy.

// Tooltip for anything with data-tip. CSSOM writes are allowed by the policy.
const tip = document.getElementById("tip");
function showTip(el) {
  tip.textContent = el.dataset.tip;
  tip.hidden = false;
  const r = el.getBoundingClientRect();
  const x = Math.min(Math.max(8, r.left + r.width / 2 - tip.offsetWidth / 2), innerWidth - tip.offsetWidth - 8);
  const above = r.top - tip.offsetHeight - 8;
  tip.style.transform = `translate(${x}px, ${above > 4 ? above : r.bottom + 8}px)`;
}
for (const [on, off] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
  document.addEventListener(on, (e) => {
    const el = e.target.closest?.("[data-tip]");
    if (el) showTip(el);
  });
  document.addEventListener(off, () => { tip.hidden = true; });
}

// Toasts: from the server as an event, or already in the page.
const toastTime = 7000;
function expire(toast) {
  if (!toast.classList.contains("t-bad")) setTimeout(() => toast.remove(), toastTime);
}
function toast({ tone, title, text }) {
  const template = document.getElementById(`toast-${tone}`) ?? document.getElementById("toast-busy");
  const node = template.content.firstElementChild.cloneNode(true);
  node.querySelector("[data-title]").textContent = title ?? "";
  node.querySelector("[data-text]").textContent = text ?? "";
  document.getElementById("toasts").append(node);
  expire(node);
}
document.addEventListener("toast", (e) => {
  const list = Array.isArray(e.detail) ? e.detail : e.detail?.value ?? [e.detail];
  for (const t of list) toast(t);
});
for (const node of document.querySelectorAll("#toasts > [data-toast]")) expire(node);

// Clicks: dialogs, dismissal, copying.
async function copy(button) {
  const from = document.getElementById(button.dataset.copy);
  await navigator.clipboard.writeText(from.textContent.trim());
  const label = button.querySelector("span") ?? button;
  const before = label.textContent;
  label.textContent = button.dataset.copied;
  setTimeout(() => { label.textContent = before; }, 2000);
}
document.addEventListener("click", (e) => {
  const el = e.target.closest?.("[data-dialog],[data-close],[data-dismiss],[data-copy],[data-reveal]");
  if (!el) return;
  if (el.dataset.dialog) document.getElementById(el.dataset.dialog)?.showModal();
  else if ("close" in el.dataset) el.closest("dialog")?.close();
  else if ("dismiss" in el.dataset) el.closest("[data-toast],[data-dismissable]")?.remove();
  else if (el.dataset.copy) copy(el);
  else if (el.dataset.reveal) {
    const input = document.getElementById(el.dataset.reveal);
    const hidden = input.type === "password";
    input.type = hidden ? "text" : "password";
    el.setAttribute("aria-pressed", String(hidden));
  }
});

// Menus close on a click outside and on Escape; dialogs on their backdrop.
document.addEventListener("pointerdown", (e) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(e.target)) menu.open = false;
  }
  if (e.target instanceof HTMLDialogElement && e.target.open) {
    const r = e.target.getBoundingClientRect();
    if (e.clientX < r.left || e.clientX > r.right || e.clientY < r.top || e.clientY > r.bottom) e.target.close();
  }
});
document.addEventListener("keydown", (e) => {
  if (e.key === "Escape") {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
  if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "k") {
    const box = document.querySelector("[data-hotkey='k']");
    if (box) { e.preventDefault(); box.focus(); }
  }
});

// Forms: filters submit on change; a sent form does not send twice.
document.addEventListener("change", (e) => {
  if (e.target.closest?.("[data-autosubmit]")) e.target.form?.requestSubmit();
});
document.addEventListener("submit", (e) => {
  const form = e.target;
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) { e.preventDefault(); return; }
  form.dataset.sent = "1";
  setTimeout(() => {
    for (const b of form.querySelectorAll("button:not([type=button])")) b.setAttribute("aria-busy", "true");
  });
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Raw sensor series: <div data-uplot="/path.json"> with {time:[s], series:[{label, unit, values}], limits:[{label, value}]}.
function tokens(...names) {
  const style = getComputedStyle(document.documentElement);
  return names.map((n) => style.getPropertyValue(n).trim());
}
async function plot(box) {
  box.removeAttribute("data-uplot-pending");
  const answer = await fetch(box.dataset.uplot, { headers: { Accept: "application/json" } });
  if (!answer.ok) { box.textContent = box.dataset.failed ?? ""; return; }
  const data = await answer.json();
  const [ink, grid, bad, ...colours] = tokens("--ink-3", "--grid", "--bad", "--series-1", "--series-2", "--series-3", "--series-4");
  const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid }, font: "12px sans-serif" };
  const rtl = document.documentElement.dir === "rtl";
  const chart = new uPlot({
    width: box.clientWidth - 20,
    height: Number(box.dataset.height ?? 280),
    scales: { x: { dir: rtl ? -1 : 1 } },
    axes: [{ ...axis, values: (_, ticks) => ticks.map(tickText(ticks)) }, { ...axis, side: rtl ? 1 : 3 }],
    series: [{ label: box.dataset.time ?? "", value: (_, v) => (v == null ? "–" : moment(v)) }, ...data.series.map((s, i) => ({ label: s.unit ? `${s.label} (${s.unit})` : s.label, stroke: colours[i % 4], width: 1.5 })),
      ...(data.limits ?? []).map((l) => ({ label: l.label, stroke: bad, width: 1, dash: [6, 4], points: { show: false } }))],
  }, [data.time, ...data.series.map((s) => s.values), ...(data.limits ?? []).map((l) => data.time.map(() => l.value))], box);
  new ResizeObserver(() => chart.setSize({ width: box.clientWidth - 20, height: chart.height })).observe(box);
}
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
function plots() {
  if (!globalThis.uPlot) return;
  for (const box of document.querySelectorAll("[data-uplot]:not([data-drawn])")) {
    box.dataset.drawn = "1";
    plot(box);
  }
}
addEventListener("DOMContentLoaded", plots);
document.addEventListener("htmx:after:swap", plots);
