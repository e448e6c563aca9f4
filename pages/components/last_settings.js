// The settings last used on the Train page, kept in this browser: the query parameters of the page's link, as JSON.
const STORE = 'cnnlab-train';
let written;

function keep(kept) {
  const text = JSON.stringify(kept);
  // Drawn again, a page has nothing new to say: another tab may have kept something since.
  if (text === written) return;
  written = text;
  try {
    if (kept.settings) localStorage.setItem(STORE, JSON.stringify(kept.settings));
    else localStorage.removeItem(STORE);
  } catch { /* private windows may forbid it */ }
}

function found() {
  try { return localStorage.getItem(STORE); } catch { return null; }
}

const root = document.documentElement;

function show() {
  root.dataset.labLast = 'done';
}

function showFilled() {
  // The mark goes once everything is drawn; the inputs hold their new values a little after nothing is left to be done.
  if (document.querySelector('.lab-asks')) requestAnimationFrame(showFilled);
  else if (window.requestIdleCallback) requestIdleCallback(() => setTimeout(show, 100), { timeout: 1000 });
  else setTimeout(show, 200);
}

export default function ({ data, setTriggerValue }) {
  if (data.kept) keep(data.kept);
  if (data.asks) {
    const text = found();
    if (!text) {
      show();
      return;
    }
    // From now on style.py keeps the form out of sight until it is filled in, or the server is not heard of for long.
    root.dataset.labLast = 'waits';
    setTriggerValue('found', text);
    setTimeout(show, 10_000);
  } else if (root.dataset.labLast === 'waits') showFilled();
}
