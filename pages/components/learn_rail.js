// The contents of the lessons. What was opened and answered is kept in this browser: {key: 'opened' | 'answered'}.
const STORE = 'cnnlab-lessons';
const SAID = { opened: 'opened', answered: 'opened, answer seen' };

function seen() {
  try {
    const found = JSON.parse(localStorage.getItem(STORE));
    return found && typeof found === 'object' ? found : {};
  } catch { return {}; }
}

function remember(key, how) {
  const found = seen();
  if (found[key] === 'answered' || found[key] === how) return found;
  found[key] = how;
  try { localStorage.setItem(STORE, JSON.stringify(found)); } catch { /* private windows may forbid it */ }
  return found;
}

const wide = matchMedia('(min-width: 1000px)');

function draw(root, { lessons, current, answered }, choose) {
  const found = remember(current, answered ? 'answered' : 'opened');
  const known = (key) => (Object.hasOwn(SAID, found[key]) ? found[key] : '');
  const before = root.querySelector('details');
  const focused = root.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const place = lessons.findIndex(({ key }) => key === current);
  const list = document.createElement('ol');
  for (const { key, title } of lessons) {
    const item = document.createElement('li');
    const link = document.createElement('a');
    link.href = `?lesson=${encodeURIComponent(key)}`;
    link.textContent = title;
    link.dataset.key = key;
    if (key === current) link.setAttribute('aria-current', 'page');
    const mark = document.createElement('span');
    mark.className = `lab-rail-mark ${known(key) && `is-${known(key)}`}`;
    mark.title = SAID[known(key)] ?? 'not opened yet';
    mark.setAttribute('aria-label', mark.title);
    mark.setAttribute('role', 'img');
    link.prepend(mark);
    link.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (!wide.matches) root.querySelector('details').open = false;
      if (key !== current) choose(key);
    });
    item.append(link);
    list.append(item);
  }
  const details = document.createElement('details');
  details.open = wide.matches || Boolean(before?.open);
  const summary = document.createElement('summary');
  summary.textContent = `Contents: lesson ${place + 1} of ${lessons.length}`;
  const note = document.createElement('p');
  const count = lessons.filter(({ key }) => known(key)).length;
  note.textContent = `${count} of ${lessons.length} opened in this browser`;
  details.append(summary, list, note);
  root.replaceChildren(details);
  root.setAttribute('aria-label', 'Lessons');
  if (focused) root.querySelector(`a[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.lab-rail');
  draw(root, JSON.parse(new TextDecoder().decode(data)), (key) => setTriggerValue('chosen', key));
  if (!root.unfold) {
    // A wide window has no summary to unfold the contents with.
    root.unfold = () => { root.querySelector('details').open = wide.matches; };
    wide.addEventListener('change', root.unfold);
  }
  return () => {
    wide.removeEventListener('change', root.unfold);
    root.unfold = undefined;
  };
}
