import type { FoldedStack } from './folded-stacks.js';

const WIDTH = 1200;
const ROW = 18;
const PADDING = 10;
const TITLE = 34;
const CHARACTER = 6.6;
/** Narrower boxes are not drawn, because they would not be visible. */
const NARROWEST = 0.3;

interface Node {
  readonly name: string;
  total: number;
  readonly children: Map<string, Node>;
}

/** Renders a flame graph as an SVG file for browsers: one box per frame, as wide as its time, titled with name, time and share. */
export function flamegraphSvg(stacks: readonly FoldedStack[], title: string): string {
  const root = tree(stacks);
  const boxes: string[] = [];
  const scale = (WIDTH - 2 * PADDING) / Math.max(1, root.total);
  const depth = draw(root, PADDING, 0, scale, root.total, boxes);
  const height = TITLE + (depth + 1) * ROW + PADDING;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="ui-monospace, monospace" font-size="11">`,
    `<rect width="100%" height="100%" fill="#fffdf7"/>`,
    `<text x="${WIDTH / 2}" y="20" text-anchor="middle" font-size="14">${escaped(title)}</text>`,
    ...(root.total === 0
      ? [`<text x="${WIDTH / 2}" y="${TITLE + 12}" text-anchor="middle">no samples yet</text>`]
      : boxes),
    '</svg>',
    '',
  ].join('\n');
}

function tree(stacks: readonly FoldedStack[]): Node {
  const root: Node = { name: 'all', total: 0, children: new Map() };
  for (const { frames, microseconds } of stacks) {
    root.total += microseconds;
    let node = root;
    for (const name of frames) {
      let child = node.children.get(name);
      if (child === undefined) {
        child = { name, total: 0, children: new Map() };
        node.children.set(name, child);
      }
      child.total += microseconds;
      node = child;
    }
  }
  return root;
}

/** Draws a node and its descendants; returns the deepest level. */
function draw(node: Node, x: number, level: number, scale: number, all: number, boxes: string[]): number {
  const width = node.total * scale;
  if (width < NARROWEST) return level;
  const y = TITLE + level * ROW;
  const about = `${node.name} — ${(node.total / 1000).toFixed(3)} ms, ${((100 * node.total) / Math.max(1, all)).toFixed(2)} %`;
  const room = Math.floor((width - 6) / CHARACTER);
  const label = room < 3 ? '' : node.name.length <= room ? node.name : `${node.name.slice(0, room - 1)}…`;
  boxes.push(
    `<g><title>${escaped(about)}</title><rect x="${x.toFixed(2)}" y="${y}" width="${width.toFixed(2)}" height="${ROW - 1}" rx="2" fill="${colour(node.name)}"/>` +
      (label ? `<text x="${(x + 3).toFixed(2)}" y="${y + 13}">${escaped(label)}</text>` : '') +
      '</g>',
  );
  let deepest = level;
  let at = x;
  for (const child of [...node.children.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    deepest = Math.max(deepest, draw(child, at, level + 1, scale, all, boxes));
    at += child.total * scale;
  }
  return deepest;
}

/** Frames of the cache are blue, frames of callers have warm colours; a name has the same colour in every graph. */
function colour(name: string): string {
  let hash = 0;
  for (let index = 0; index < name.length; index++) hash = (hash * 31 + name.charCodeAt(index)) >>> 0;
  const spread = hash % 40;
  return name.startsWith('cache.')
    ? `hsl(${205 + (spread % 15)} 70% ${70 + (spread % 10)}%)`
    : `hsl(${18 + spread} 85% ${66 + (spread % 10)}%)`;
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
