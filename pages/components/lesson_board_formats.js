// Numbers and elements as all figures of the lessons write them.
// Made once: `toLocaleString` makes one at every call, which takes longer than all of a grid's drawing.
const DECIMALS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 10 });

// A number as people read it: at most `digits` significant ones, with a real minus sign.
function number(value, digits = 3) {
  if (!Number.isFinite(value)) return value > 0 ? '∞' : value < 0 ? '−∞' : 'not a number';
  const text = Math.abs(value) >= 1e6 || (value !== 0 && Math.abs(value) < 1e-4)
    ? value.toExponential(digits - 1) : DECIMALS.format(Number(value.toPrecision(digits)));
  return text.replaceAll('-', '−');
}

// The number with this logarithm to the base of ten; minus infinity is 0.
function power(log) {
  if (log === -Infinity) return '0';
  if (Math.abs(log) < 4) return number(10 ** log, 2);
  const exponent = Math.floor(log);
  return `${number(10 ** (log - exponent), 2)} × ${tenTo(exponent)}`;
}

const tenTo = (exponent) => `10${[...String(exponent)].map((sign) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[sign] ?? '⁻').join('')}`;

// A large count in words: whole below a million.
function large(value) {
  return value >= 1e9 ? `${number(value / 1e9)} billion` : value >= 1e6 ? `${number(value / 1e6)} million` : number(value, 7);
}

// The same where there is little room: whole below a hundred thousand.
function short(value) {
  const [size, unit] = [[1e9, ' G'], [1e6, ' M']].find(([least]) => value >= least) ?? (value >= 1e5 ? [1e3, ' k'] : [1, '']);
  return `${number(value / size, unit ? 3 : 7)}${unit}`;
}

// Dark or white, whichever can be read on a color [r, g, b].
const inkOn = ([red, green, blue]) => (0.299 * red + 0.587 * green + 0.114 * blue > 140 ? '#1B2130' : '#FFFFFF');

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// Place of the value that is next to this one.
const nearest = (values, value) => values.reduce((best, each, place) =>
  Math.abs(each - value) < Math.abs(values[best] - value) ? place : best, 0);

function element(name, attributes = {}, ...children) {
  const found = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in found && key !== 'list') found[key] = value; else found.setAttribute(key, value);
  }
  found.append(...children);
  return found;
}

// The same for a shape of an SVG.
function drawn(name, attributes = {}, ...children) {
  const found = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
  found.append(...children);
  return found;
}

// A number with at most `places` decimals, with a real minus sign.
function decimal(value, places = 3) {
  const rounded = Number(value.toFixed(places));
  return String(rounded === 0 ? 0 : rounded).replace('-', '−');
}

// What was typed into a field as a number: a point or a comma, a fraction like 1/9; NaN where it is none.
function typed(text) {
  const [top, bottom = '1', ...rest] = text.trim().replace('−', '-').replace(',', '.').split('/');
  return rest.length || !top.trim() || !bottom.trim() ? NaN : Number(top) / Number(bottom);
}
