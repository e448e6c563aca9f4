// The images of a chart's points: beside the mouse, and as a gallery of those selected, clicked or listed by class.
const PAGE = 24;
const TILE = 84;
const CARD = 118;
const SMALL = 32;  // pixels up to which an image is enlarged without smoothing
const SURE = 'Mistakes, the surest first', UNSURE = 'The least certain';

const HTML = `
  <div class="lab-points-bar">
    <span role="group" aria-label="What dragging over the chart does">
      <button data-mode="lasso">Lasso</button><button data-mode="select">Box</button><button data-mode="zoom">Zoom</button>
    </span>
    <button data-do="reset">Reset view</button>
    <select aria-label="Show images"></select>
    <button data-save="png">PNG</button>
    <button data-save="svg">SVG</button>
  </div>
  <p class="lab-points-words" aria-live="polite"></p>
  <div class="lab-points-tiles"></div>
  <button class="lab-points-more"></button>
  <div class="lab-points-card" hidden><i class="lab-points-picture"></i>
    <span class="lab-points-line"></span><span class="lab-points-line lab-points-said"></span></div>`;

const START = 'Point at an image to see it; click it, or drag around some, to list them here.';

class Pictures {
  constructor(root) {
    root.innerHTML = HTML;
    this.root = root;
    this.words = root.querySelector('.lab-points-words');
    this.tiles = root.querySelector('.lab-points-tiles');
    this.more = root.querySelector('.lab-points-more');
    this.card = root.querySelector('.lab-points-card');
    this.groups = root.querySelector('select');
    // A finger should scroll the page until somebody chooses otherwise.
    this.mode = matchMedia('(pointer: coarse)').matches ? false : 'lasso';
    this.hide = () => { this.card.hidden = true; };
    document.addEventListener('scroll', this.hide, true);
    this.board = root.closest('[class*=_board]');
    this.attach = () => this.listen(this.board?.querySelector('.js-plotly-plot'));
    this.board?.addEventListener('lab-drawn', this.attach);
    root.querySelector('.lab-points-bar').addEventListener('click', ({ target }) => this.press(target.dataset));
    this.groups.addEventListener('change', () => this.list(Number(this.groups.value)));
    this.more.addEventListener('click', () => this.page());
    this.tiles.addEventListener('click', ({ target }) => {
      const row = target.closest('button')?.dataset.row;
      if (row !== undefined) this.open(Number(row));
    });
    for (const kind of ['mouseover', 'focusin']) this.tiles.addEventListener(kind, (event) => this.mark(event));
    for (const kind of ['mouseleave', 'focusout']) this.tiles.addEventListener(kind, () => this.ring?.remove());
    this.markMode();
  }

  show(facts, image) {
    if (this.source) URL.revokeObjectURL(this.source);
    Object.assign(this, facts, { source: URL.createObjectURL(new Blob([image])) });
    this.lists = this.grouped();
    this.groups.replaceChildren(...this.lists.map(([name, rows], index) => {
      const option = document.createElement('option');
      option.value = index;
      option.textContent = index ? `${name} (${rows.length.toLocaleString('en-US')})` : name;
      return option;
    }));
    this.clear();
    this.attach();
  }

  grouped() {
    const all = this.rows.map((_, row) => row);
    const sure = (a, b) => this.rows[b][2] - this.rows[a][2];
    const wrong = all.filter((row) => this.rows[row][3] === false).sort(sure);
    const classes = new Map();
    for (const row of all) {
      const name = this.rows[row][0];
      if (!classes.has(name)) classes.set(name, []);
      classes.get(name).push(row);
    }
    const names = [...classes.keys()].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    return [['List images…', []], ...(wrong.length ? [[SURE, wrong]] : []), [UNSURE, all.sort((a, b) => sure(b, a))],
            ...names.map((name) => [`Class ${name}`, classes.get(name)])];
  }

  // The chart

  listen(plot) {
    if (!plot?.on) return;
    if (plot._fullLayout?.dragmode !== this.mode) window.Plotly.relayout(plot, { dragmode: this.mode });
    if (plot === this.plot) return;
    this.plot = plot;
    const row = (event) => event.points[0].customdata;
    plot.on('plotly_hover', (event) => this.point(row(event), event.event));
    plot.on('plotly_unhover', this.hide);
    plot.addEventListener('mouseleave', this.hide);
    plot.on('plotly_click', (event) => this.near(row(event)));
    plot.on('plotly_selected', (event) => { if (event?.points) this.picked(event.points.map((each) => each.customdata)); });
    plot.on('plotly_deselect', () => this.clear());
  }

  point(row, event) {
    if (!this.rows[row] || !event) return;
    this.dress(this.card, row, CARD);
    this.card.hidden = false;
    const { width, height } = this.card.getBoundingClientRect();
    const left = event.clientX + 16 + width > innerWidth ? event.clientX - 16 - width : event.clientX + 16;
    this.card.style.left = `${Math.max(4, left)}px`;
    this.card.style.top = `${Math.min(Math.max(4, event.clientY - height / 2), innerHeight - height - 4)}px`;
  }

  mark(event) {
    const row = Number(event.target.closest('button')?.dataset.row);
    this.ring?.remove();
    const trace = this.plot?._fullData?.find((each) => each.visible === true && each.customdata?.includes(row));
    if (!trace) return;
    const { xaxis, yaxis } = this.plot._fullLayout;
    const index = trace.customdata.indexOf(row);
    this.ring = document.createElement('i');
    this.ring.className = 'lab-points-ring';
    this.ring.style.left = `${xaxis._offset + xaxis.d2p(trace.x[index])}px`;
    this.ring.style.top = `${yaxis._offset + yaxis.d2p(trace.y[index])}px`;
    this.plot.appendChild(this.ring);
  }

  press({ mode, save, do: action }) {
    if (mode) {
      this.mode = this.mode === mode ? false : mode;
      this.markMode();
      if (this.plot) window.Plotly.relayout(this.plot, { dragmode: this.mode });
    } else if (save && this.plot) this.save(save);
    else if (action === 'reset' && this.plot) {
      window.Plotly.relayout(this.plot, { 'xaxis.autorange': true, 'yaxis.autorange': true, selections: [] });
      window.Plotly.restyle(this.plot, { selectedpoints: null });
      this.clear();
    }
  }

  markMode() {
    for (const button of this.root.querySelectorAll('[data-mode]')) {
      button.setAttribute('aria-pressed', button.dataset.mode === this.mode);
    }
  }

  save(format) {
    const paper = getComputedStyle(this.root).getPropertyValue('--st-background-color').trim();
    const { data, layout } = this.plot;
    const { width, height } = this.plot._fullLayout;
    window.Plotly.downloadImage({ data, layout: { ...layout, paper_bgcolor: paper } },
                                { format, filename: this.stem, width, height, scale: 2 });
  }

  // The gallery

  clear() { this.groups.value = 0; this.tell([], START); }

  near(row) {
    if (!this.rows[row]) return;
    const others = this.similar[row];
    this.groups.value = 0;
    this.tell([row, ...others], `An image of ${this.rows[row][0]}, and the ${others.length} nearest to it in the features.`);
  }

  picked(rows) {
    const found = [...new Set(rows)].filter((row) => this.rows[row]).sort((a, b) => this.rows[a][3] - this.rows[b][3]);
    if (!found.length) return;
    const right = found.filter((row) => this.rows[row][3]).length;
    const judged = this.rows[found[0]][3] === null ? '' : `, ${right.toLocaleString('en-US')} right`;
    this.groups.value = 0;
    this.tell(found, `${found.length.toLocaleString('en-US')} selected${judged}. An image opens when it is clicked.`);
  }

  list(index) {
    const [name, rows] = this.lists[index];
    if (index) this.tell(rows, `${name}: ${rows.length.toLocaleString('en-US')} images. An image opens when it is clicked.`);
    else this.clear();
  }

  tell(rows, words) {
    this.shown = rows;
    this.words.textContent = words;
    this.tiles.replaceChildren();
    this.ring?.remove();
    this.page();
  }

  page() {
    const start = this.tiles.children.length;
    const added = this.shown.slice(start, start + PAGE).map((row) => this.tile(row));
    this.tiles.append(...added);
    if (start) added[0]?.focus();
    const left = this.shown.length - start - added.length;
    this.more.hidden = left <= 0;
    this.more.textContent = `Show ${Math.min(left, PAGE)} more`;
  }

  tile(row) {
    const [name, said, share] = this.rows[row];
    const tile = document.createElement('button');
    tile.dataset.row = row;
    tile.title = `${name}, the network says ${said}, ${share} %; open it`;
    tile.innerHTML = '<i class="lab-points-picture"></i><span class="lab-points-line"></span>'
                   + '<span class="lab-points-line lab-points-said"></span>';
    this.dress(tile, row, TILE);
    return tile;
  }

  dress(node, row, size) {
    const [name, said, share, right] = this.rows[row];
    const { columns, rows, cell, side } = this.sheet;
    const scale = size / side;
    const picture = node.querySelector('.lab-points-picture');
    picture.classList.toggle('is-small', side <= SMALL);
    Object.assign(picture.style, {
      width: `${size}px`, height: `${size}px`, backgroundImage: `url(${this.source})`,
      backgroundSize: `${columns * cell * scale}px ${rows * cell * scale}px`,
      backgroundPosition: `${-(row % columns) * cell * scale}px ${-Math.floor(row / columns) * cell * scale}px`,
    });
    const [first, second] = node.querySelectorAll('.lab-points-line');
    first.textContent = name;
    second.textContent = right === true ? `✓ ${share} %` : `${right === false ? '✗ ' : ''}${said} ${share} %`;
    second.style.borderColor = right === null ? 'transparent' : this.colors[right ? 'right' : 'wrong'];
  }

  end() {
    this.board?.removeEventListener('lab-drawn', this.attach);
    document.removeEventListener('scroll', this.hide, true);
    this.ring?.remove();
    if (this.source) URL.revokeObjectURL(this.source);
  }
}

export default function (component) {
  const root = component.parentElement.querySelector('.lab-points');
  root.pictures ??= new Pictures(root);
  root.pictures.open = (row) => component.setTriggerValue('opened', row);
  const bytes = component.data;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const text = new TextDecoder().decode(bytes.subarray(4, 4 + length));
  if (root.pictures.text !== text) {
    root.pictures.text = text;
    root.pictures.show(JSON.parse(text), bytes.subarray(4 + length));
  }
  return () => { root.pictures?.end(); root.pictures = undefined; };
}
