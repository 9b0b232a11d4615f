// Draws plots as SVG: axes, lines, bands, points and a legend. The colours are those of Okabe and Ito, which people
// with any colour vision can distinguish; each series also has its own dash or shape, and text and axes follow the
// reader's colour scheme.
const WIDTH = 720;
const HEIGHT = 400;
const LEFT = 64;
const RIGHT = 20;
const TOP = 52;
const BOTTOM = 92;
/** The approximate width of a letter of the legend. */
const LETTER = 6.6;
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00'];
const DASHES = ['', '7 4', '2 4', '9 3 2 3', '4 2'];

const escaped = (text) => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
const fixed = (value) => Number(value.toFixed(1));

/**
 * @param series `{ name, kind: 'line' | 'step' | 'points' | 'band', colour, points }`; a point is [x, y], of a band [x, low, high]
 * @param x, y `{ label, from, to, ticks: [value, text?][], log? }`
 */
export function plot({ title, description, x, y, series, marks = [] }) {
  const scale = ({ from, to, log }, start, length) => {
    const of = log ? Math.log : (value) => value;
    return (value) => start + ((of(value) - of(from)) / (of(to) - of(from))) * length;
  };
  const atX = scale(x, LEFT, WIDTH - LEFT - RIGHT);
  const atY = scale(y, HEIGHT - BOTTOM, TOP + BOTTOM - HEIGHT);
  const inside = (value) => Math.min(y.to, Math.max(y.from, value));
  const parts = [];
  const text = (at, down, content, anchor = 'middle', extra = '') =>
    parts.push(
      `<text x="${fixed(at)}" y="${fixed(down)}" text-anchor="${anchor}" class="ink"${extra}>${escaped(content)}</text>`,
    );
  for (const [value, label = String(value)] of y.ticks) {
    const at = fixed(atY(value));
    parts.push(`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" class="grid"/>`);
    text(LEFT - 8, at + 4, label, 'end');
  }
  for (const [value, label = String(value)] of x.ticks) {
    const at = fixed(atX(value));
    parts.push(`<line x1="${at}" x2="${at}" y1="${HEIGHT - BOTTOM}" y2="${HEIGHT - BOTTOM + 5}" class="axis"/>`);
    text(at, HEIGHT - BOTTOM + 20, label);
  }
  parts.push(`<path d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}" class="axis" fill="none"/>`);
  text(LEFT, 26, title, 'start', ' font-size="16" font-weight="600"');
  text(LEFT, TOP - 8, y.label, 'start');
  text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 40, x.label);
  for (const { at, label } of marks) {
    const across = fixed(atX(at));
    parts.push(
      `<line x1="${across}" x2="${across}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" class="axis" stroke-dasharray="3 3"/>`,
    );
    text(across + 5, TOP + 12, label, 'start');
  }
  let legendAt = LEFT;
  let legendDown = HEIGHT - 24;
  for (const { name, kind, points, colour } of series) {
    const [paint, dash] = [COLOURS[colour], DASHES[colour]];
    const room = 50 + LETTER * name.length;
    if (legendAt > LEFT && legendAt + room > WIDTH) {
      legendAt = LEFT;
      legendDown += 18;
    }
    const line = `fill="none" stroke="${paint}" stroke-width="2.5"${dash && ` stroke-dasharray="${dash}"`}`;
    if (kind === 'band') {
      const above = points.map(([at, , high]) => `${fixed(atX(at))} ${fixed(atY(inside(high)))}`);
      const below = points.map(([at, low]) => `${fixed(atX(at))} ${fixed(atY(inside(low)))}`).reverse();
      parts.push(`<path d="M${[...above, ...below].join('L')}Z" fill="${paint}" fill-opacity="0.22"/>`);
      parts.push(
        `<rect x="${fixed(legendAt)}" y="${legendDown - 11}" width="22" height="12" fill="${paint}" fill-opacity="0.3"/>`,
      );
    } else if (kind === 'points') {
      const shape = (at, down) =>
        colour % 2 === 0
          ? `<circle cx="${fixed(at)}" cy="${fixed(down)}" r="4.5" fill="${paint}"/>`
          : `<path d="M${fixed(at - 5)} ${fixed(down)}l5 -5l5 5l-5 5z" fill="${paint}"/>`;
      for (const [at, value] of points) parts.push(shape(atX(at), atY(inside(value))));
      parts.push(shape(legendAt + 11, legendDown - 4));
    } else {
      const path = points.map(([at, value], step) => {
        const [across, down] = [fixed(atX(at)), fixed(atY(inside(value)))];
        if (step === 0) return `M${across} ${down}`;
        return kind === 'step' ? `H${across}V${down}` : `L${across} ${down}`;
      });
      parts.push(`<path d="${path.join('')}" ${line}/>`);
      parts.push(`<path d="M${fixed(legendAt)} ${legendDown - 4}h22" ${line}/>`);
    }
    text(legendAt + 28, legendDown, name, 'start');
    legendAt += room;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title description" font-family="system-ui, sans-serif" font-size="12.5">
<title id="title">${escaped(title)}</title>
<desc id="description">${escaped(description)}</desc>
<style>.ink{fill:#1f2328}.axis{stroke:#59636e}.grid{stroke:#59636e;stroke-opacity:.25}.paper{fill:#fff}@media (prefers-color-scheme:dark){.ink{fill:#f0f6fc}.axis{stroke:#9198a1}.grid{stroke:#9198a1}.paper{fill:#0d1117}}</style>
<rect width="${WIDTH}" height="${HEIGHT}" class="paper"/>
${parts.join('\n')}
</svg>
`;
}

/** Tick labels of a share. */
export const percents = (...values) => values.map((value) => [value, `${Number((value * 100).toFixed(1))} %`]);
