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

// A button with data-fill puts its value into a field of the page, such as the
// fingerprint of a certificate to trust.
document.addEventListener("click", (e) => {
  const button = e.target.closest?.("[data-fill]");
  const field = button && document.getElementById(button.dataset.fill);
  if (!field) return;
  field.value = button.dataset.value;
  field.closest("details")?.setAttribute("open", "");
  (button.querySelector("span") ?? button).textContent = button.dataset.filled;
});

// A file chosen with data-into is read into a field, such as a certificate.
const fileTextLimit = 64 << 10;
document.addEventListener("change", async (e) => {
  const file = e.target.dataset?.into && e.target.files?.[0];
  if (!file) return;
  document.getElementById(e.target.dataset.into).value = await file.slice(0, fileTextLimit).text();
  e.target.value = "";
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

// Forms: filters submit on change; a sent form does not send twice, unless it
// fetches a file (data-download), after which the page is still there.
document.addEventListener("change", (e) => {
  if (e.target.closest?.("[data-autosubmit]")) e.target.form?.requestSubmit();
});
document.addEventListener("submit", (e) => {
  const form = e.target;
  if (form.method !== "post" || form.hasAttribute("hx-post") || form.hasAttribute("data-download")) return;
  if (form.dataset.sent) { e.preventDefault(); return; }
  form.dataset.sent = "1";
  setTimeout(() => {
    for (const b of form.querySelectorAll("button:not([type=button])")) b.setAttribute("aria-busy", "true");
  });
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// A form with data-switch shows the blocks of the chosen value (data-for) and
// those whose condition holds (data-when="name=value"). Hidden blocks keep what
// was entered. data-max of the choice bounds the horizons that can be chosen.
function applySwitch(form) {
  const chosen = form.querySelector(`[name="${form.dataset.switch}"]:checked`);
  for (const el of form.querySelectorAll("[data-for]")) el.hidden = el.dataset.for !== chosen?.value;
  const most = Number(chosen?.dataset.max ?? Infinity);
  for (const el of form.querySelectorAll('[name="horizon"]')) {
    el.disabled = Number(el.value) > most;
    if (el.disabled && el.checked) form.querySelector('[name="horizon"]:not(:disabled)')?.click();
  }
  for (const el of form.querySelectorAll("[data-when]")) {
    const [name, value] = el.dataset.when.split("=");
    el.hidden = form.querySelector(`[name="${name}"]:checked`)?.value !== value;
  }
}
for (const form of document.querySelectorAll("form[data-switch]")) {
  applySwitch(form);
  form.addEventListener("change", (e) => { if (e.target.type === "radio") applySwitch(form); });
}

// Dragging a bar of a plan asks "what if": it never changes the plan. The
// dialog shows the new start for confirmation; the form behind "Why?" asks the
// same by keyboard.
let drag = null;
function beginDrag(e) {
  const job = e.target.closest?.("[data-gantt] .job[data-subject]");
  if (!job || e.button !== 0) return;
  const gantt = job.closest("[data-gantt]");
  const svg = job.ownerSVGElement;
  drag = { job, gantt, x: e.clientX, y: e.clientY, moved: false, columns: 0, rows: 0, width: svg.getBoundingClientRect().width / Number(gantt.dataset.columns), pointer: e.pointerId };
}
function moveDrag(e) {
  if (!drag || e.pointerId !== drag.pointer) return;
  const dx = e.clientX - drag.x, dy = e.clientY - drag.y;
  if (!drag.moved && Math.hypot(dx, dy) < 6) return;
  if (!drag.moved) {
    drag.moved = true;
    drag.job.setPointerCapture(drag.pointer);
    drag.job.classList.add("dragging");
  }
  const sign = document.documentElement.dir === "rtl" ? -1 : 1;
  const snap = Number(drag.gantt.dataset.snap), start = Number(drag.job.dataset.start);
  const wanted = Math.round((start + (sign * dx) / drag.width) / snap) * snap;
  drag.columns = Math.min(Math.max(0, wanted), Number(drag.gantt.dataset.columns) - snap) - start;
  drag.rows = "rows" in drag.gantt.dataset ? Math.round(dy / 48) : 0;
  drag.job.setAttribute("transform", `translate(${sign * drag.columns * drag.width} ${drag.rows * 48})`);
}
function endDrag(e) {
  if (!drag || e.pointerId !== drag.pointer) return;
  const { job, gantt, moved, columns, rows } = drag;
  drag = null;
  if (!moved) return;
  job.classList.remove("dragging");
  job.removeAttribute("transform");
  // The click that ends a drag opens nothing.
  const swallow = (c) => { c.preventDefault(); c.stopPropagation(); };
  addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => removeEventListener("click", swallow, { capture: true }), 50);
  if (e.type === "pointercancel" || (columns === 0 && rows === 0)) return;
  askWhatIf(gantt, job, columns, rows);
}
function askWhatIf(gantt, job, columns, rows) {
  const dialog = document.getElementById(gantt.dataset.gantt);
  if (!dialog) return;
  const form = dialog.querySelector("form");
  const at = new Date(Date.parse(`${gantt.dataset.origin}Z`) + (Number(job.dataset.start) + columns) * Number(gantt.dataset.hours) * 3600e3).toISOString();
  const names = [...gantt.querySelectorAll(".gantt-name[data-resource]")];
  const set = (name, value) => { const el = form.elements.namedItem(name); if (el) el.value = value; };
  set("subject", job.dataset.subject);
  set("ask", "start");
  set("day", at.slice(0, 10));
  set("clock", at.slice(11, 16));
  set("resource", names[Number(job.dataset.row) + rows]?.dataset.resource ?? "");
  dialog.querySelector("[data-what]").textContent = job.getAttribute("aria-label").split(",")[0];
  dialog.showModal();
}
document.addEventListener("pointerdown", beginDrag);
document.addEventListener("pointermove", moveDrag);
document.addEventListener("pointerup", endDrag);
document.addEventListener("pointercancel", endDrag);
document.addEventListener("dragstart", (e) => { if (e.target.closest?.("[data-gantt] .job")) e.preventDefault(); });
