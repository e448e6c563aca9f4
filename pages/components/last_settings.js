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

export default function ({ data, setTriggerValue }) {
  if (data.kept) keep(data.kept);
  if (!data.asks) return;
  const text = found();
  if (text) setTriggerValue('found', text);
  // The form waits out of sight for the answer (style.py); where there is nothing to fill in it comes at once.
  else document.documentElement.dataset.labLast = 'none';
}
