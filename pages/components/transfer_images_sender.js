// Chooses files or a folder and sends them in pieces: the next batch when the server has taken the last one.
const BATCH_BYTES = 3 << 20, BATCH_FILES = 400, AGAIN_MS = 8000, MOST_FOLDERS = 40;
const KINDS = {
  folder: { button: 'Choose a folder', hint: 'or drop a folder here', attributes: { webkitdirectory: '' } },
  files: { button: 'Choose pictures', hint: 'or drop pictures here', attributes: { multiple: '' } },
  zip: { button: 'Choose a ZIP', hint: 'or drop a ZIP here', attributes: { accept: '.zip' } },
};
const HTML = `
  <label class="lab-sender-drop"><input type="file"><b></b><span></span></label>
  <p class="lab-sender-chosen" aria-live="polite"><span></span> <button>Choose others</button></p>`;
const JUNK = /(^|\/)(\.|__MACOSX|Thumbs\.db$|desktop\.ini$)/i;

// Files of a dropped folder; a browser gives its entries a hundred at a time.
async function entriesIn(entry, path, found) {
  if (entry.isFile) {
    // One that cannot be read must not lose the others: it arrives empty, and is refused by its name.
    const file = await new Promise((done, fail) => entry.file(done, fail)).catch(() => new File([], entry.name));
    found.push({ name: path + entry.name, file });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((done, fail) => reader.readEntries(done, fail)).catch(() => []);
    if (!some.length) return;
    for (const each of some) await entriesIn(each, `${path}${entry.name}/`, found);
  }
}

function base64(blob) {
  return new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(',') + 1));
    reader.onerror = fail;
    reader.readAsDataURL(blob);
  });
}

class Sender {
  constructor(root) {
    root.innerHTML = HTML;
    this.drop = root.querySelector('.lab-sender-drop');
    this.chosen = root.querySelector('.lab-sender-chosen');
    this.input = root.querySelector('input');
    this.input.addEventListener('change', () => this.choose(Array.from(this.input.files, (file) => (
      { name: file.webkitRelativePath || file.name, file }))));
    root.querySelector('button').addEventListener('click', () => this.choose([]));
    for (const kind of ['dragover', 'dragleave', 'drop']) this.drop.addEventListener(kind, (event) => {
      event.preventDefault();
      this.drop.classList.toggle('is-over', kind === 'dragover');
    });
    this.drop.addEventListener('drop', async (event) => {
      const entries = Array.from(event.dataTransfer.items, (item) => item.webkitGetAsEntry()).filter(Boolean);
      const found = entries.length ? [] : Array.from(event.dataTransfer.files, (file) => ({ name: file.name, file }));
      for (const entry of entries) await entriesIn(entry, '', found);
      this.choose(this.kind === 'zip' ? found.slice(0, 1) : found);
    });
    this.files = [];
    this.id = '';
  }

  dress(kind) {
    if (this.kind === kind) return;
    this.kind = kind;
    for (const [name, value] of Object.entries(KINDS[kind].attributes)) this.input.setAttribute(name, value);
    this.input.setAttribute('aria-label', KINDS[kind].button);
    this.drop.querySelector('b').textContent = KINDS[kind].button;
    this.drop.querySelector('span').textContent = KINDS[kind].hint;
  }

  choose(files) {
    this.files = files.filter(({ name }) => !JUNK.test(name));
    this.input.value = '';
    this.id = this.files.length ? Math.random().toString(36).slice(2) : '';
    this.at = { file: 0, offset: 0 };
    this.sent = -1;
    clearTimeout(this.timer);
    const folders = new Map();
    for (const { name } of this.files) {
      const folder = name.split('/').slice(-2, -1)[0] ?? '';
      folders.set(folder, (folders.get(folder) ?? 0) + 1);
    }
    const size = this.files.reduce((sum, { file }) => sum + file.size, 0);
    this.mark(size);
    this.tell({ id: this.id, files: this.files.length, bytes: size, first: this.files[0]?.name ?? '',
                classes: folders.size, folders: [...folders].sort((a, b) => b[1] - a[1]).slice(0, MOST_FOLDERS) });
  }

  mark(size) {
    const count = this.files.length;
    this.drop.hidden = count > 0;
    this.chosen.hidden = !count;
    const mb = size < 1e6 ? `${Math.ceil(size / 1e3)} kB` : `${(size / 1e6).toFixed(1)} MB`;
    this.chosen.querySelector('span').textContent = `${count.toLocaleString('en')} file${count > 1 ? 's' : ''}, ${mb}`;
  }

  // The server wants batch `number` of the files it knows by `id`.
  async want({ id, number }) {
    this.chosen.querySelector('button').hidden = id !== '' && id === this.id;
    if (!id || id !== this.id || number < this.sent) return;
    if (number > this.sent) {
      this.sent = number;
      this.batch = { id, number, pieces: await this.next(), done: false };
      this.batch.done = this.at.file >= this.files.length;
      if (id !== this.id) return;
      this.post();
    }
  }

  post() {
    clearTimeout(this.timer);
    this.send(this.batch);
    // Of two parts of the page that speak in the same moment only one is heard.
    this.timer = setTimeout(() => this.post(), AGAIN_MS);
  }

  async next() {
    const pieces = [];
    let room = BATCH_BYTES;
    while (room > 0 && pieces.length < BATCH_FILES && this.at.file < this.files.length) {
      const { name, file } = this.files[this.at.file];
      const end = Math.min(file.size, this.at.offset + room);
      pieces.push({ name, blob: file.slice(this.at.offset, end), last: end >= file.size });
      room -= end - this.at.offset;
      this.at = end >= file.size ? { file: this.at.file + 1, offset: 0 } : { file: this.at.file, offset: end };
    }
    // A file that cannot be read any more arrives empty, and is refused by its name.
    return Promise.all(pieces.map(async ({ name, blob, last }) => (
      { name, data: await base64(blob).catch(() => ''), last })));
  }
}

export default function (component) {
  const root = component.parentElement.querySelector('.lab-sender');
  const sender = root.sender ??= new Sender(root);
  sender.tell = (chosen) => component.setStateValue('chosen', chosen);
  sender.send = (batch) => component.setTriggerValue('batch', batch);
  const { kind, want } = component.data;
  sender.dress(kind);
  if (!sender.files.length) sender.mark(0);
  sender.want(want);
  return () => { clearTimeout(root.sender?.timer); root.sender = undefined; };
}
