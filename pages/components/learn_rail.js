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

function draw(root, { lessons, current, answered }, choose) {
  const found = remember(current, answered ? 'answered' : 'opened');
  const count = lessons.filter(({ key }) => found[key] in SAID).length;
  const folded = root.querySelector('details');
  const place = lessons.findIndex(({ key }) => key === current);
  const list = document.createElement('ol');
  for (const { key, title } of lessons) {
    const item = document.createElement('li');
    const link = document.createElement('a');
    link.href = `?lesson=${encodeURIComponent(key)}`;
    link.textContent = title;
    if (key === current) link.setAttribute('aria-current', 'page');
    const mark = document.createElement('span');
    const how = found[key] in SAID ? found[key] : '';
    mark.className = `lab-rail-mark ${how && `is-${how}`}`;
    mark.title = how ? SAID[how] : 'not opened yet';
    mark.setAttribute('aria-label', mark.title);
    mark.setAttribute('role', 'img');
    link.prepend(mark);
    link.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (matchMedia('(max-width: 999px)').matches) root.querySelector('details').open = false;
      if (key !== current) choose(key);
    });
    item.append(link);
    list.append(item);
  }
  const details = document.createElement('details');
  details.open = folded ? folded.open : matchMedia('(min-width: 1000px)').matches;
  const summary = document.createElement('summary');
  summary.textContent = `Contents: lesson ${place + 1} of ${lessons.length}`;
  const note = document.createElement('p');
  note.textContent = `${count} of ${lessons.length} opened in this browser`;
  details.append(summary, list, note);
  root.replaceChildren(details);
  root.setAttribute('aria-label', 'Lessons');
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.lab-rail');
  draw(root, JSON.parse(new TextDecoder().decode(data)), (key) => setTriggerValue('chosen', key));
}
