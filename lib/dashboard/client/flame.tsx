import { useEffect, useMemo, useState } from 'preact/hooks';
import { readText, type Refusal } from './api';
import { duration, percent } from './format';
import { Card, Refused } from './parts';

interface Frame {
  readonly name: string;
  value: number;
  readonly children: Map<string, Frame>;
}

interface Box {
  readonly frame: Frame;
  readonly path: readonly string[];
  readonly depth: number;
  readonly left: number;
  readonly width: number;
}

const MAX_BOXES = 3_000;
/** Narrower boxes are not drawn, because they cannot be read or clicked. */
const MIN_SHARE = 0.001;
const MAX_DEPTH = 64;

/** Shows where sampled operations spend their time. A click on a box enlarges it to the full width; the search marks frames. */
export function FlamePage() {
  const [folded, setFolded] = useState<string>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [path, setPath] = useState<readonly string[]>([]);
  const [search, setSearch] = useState('');
  const load = () => {
    readText('flamegraph', { format: 'folded' }).then((text) => {
      setFolded(text);
      setRefusal(undefined);
    }, setRefusal);
  };
  useEffect(load, []);
  const root = useMemo(() => treeOf(folded ?? ''), [folded]);
  const shown = path.reduce<Frame>((frame, name) => frame.children.get(name) ?? frame, root);
  const boxes = useMemo(() => boxesOf(shown, path), [shown, path]);
  const found = search.trim().toLowerCase();
  const matches = (name: string) => found !== '' && name.toLowerCase().includes(found);
  const share = found === '' || root.value === 0 ? undefined : matched(shown, matches) / shown.value;
  return (
    <Card title="Flame graph" covers="sampled since start">
      {refusal && <Refused refusal={refusal} />}
      {folded !== undefined && root.value === 0 && (
        <p class="note">Nothing was sampled yet. Operations are sampled as requests come.</p>
      )}
      {root.value > 0 && (
        <>
          <div class="actions">
            <label class="filter">
              Search
              <input type="search" value={search} onInput={(event) => setSearch(event.currentTarget.value)} />
            </label>
            {share !== undefined && <span>{percent(share)} match</span>}
            <span class="push" />
            {path.length > 0 && (
              <button type="button" class="quiet" onClick={() => setPath(path.slice(0, -1))}>
                Up
              </button>
            )}
            {path.length > 0 && (
              <button type="button" class="quiet" onClick={() => setPath([])}>
                Whole
              </button>
            )}
            <button type="button" class="quiet" onClick={load}>
              Read again
            </button>
          </div>
          <div class="flame" style={{ height: `${(Math.max(...boxes.map(({ depth }) => depth)) + 1) * 22}px` }}>
            {boxes.map(({ frame, path: own, depth, left, width }) => (
              <button
                type="button"
                key={own.join(';')}
                class={`f${hash(frame.name)} ${matches(frame.name) ? 'match' : ''}`}
                style={{ left: `${left * 100}%`, width: `${width * 100}%`, top: `${depth * 22}px` }}
                title={`${frame.name}: ${duration(frame.value / 1000)}, ${percent(frame.value / root.value)}`}
                onClick={() => setPath(own)}
              >
                {frame.name}
              </button>
            ))}
          </div>
        </>
      )}
    </Card>
  );
}

/** Parses lines such as `a;b;c 12` into a tree of frames. */
function treeOf(folded: string): Frame {
  const root: Frame = { name: 'all', value: 0, children: new Map() };
  for (const line of folded.split('\n')) {
    const end = line.lastIndexOf(' ');
    const value = Number(line.slice(end + 1));
    if (end < 1 || !(value > 0)) continue;
    let frame = root;
    frame.value += value;
    for (const name of line.slice(0, end).split(';').slice(0, MAX_DEPTH)) {
      let child = frame.children.get(name);
      if (child === undefined) frame.children.set(name, (child = { name, value: 0, children: new Map() }));
      child.value += value;
      frame = child;
    }
  }
  return root;
}

function boxesOf(root: Frame, path: readonly string[]): Box[] {
  const boxes: Box[] = [];
  const add = (frame: Frame, own: readonly string[], depth: number, left: number): void => {
    const width = root.value === 0 ? 1 : frame.value / root.value;
    if (width < MIN_SHARE || boxes.length >= MAX_BOXES) return;
    boxes.push({ frame, path: own, depth, left, width });
    for (const child of frame.children.values()) {
      add(child, [...own, child.name], depth + 1, left);
      left += child.value / root.value;
    }
  };
  add(root, path, 0, 0);
  return boxes;
}

/** Returns the time under frames that match. Each sample counts once. */
function matched(frame: Frame, matches: (name: string) => boolean): number {
  if (matches(frame.name)) return frame.value;
  let sum = 0;
  for (const child of frame.children.values()) sum += matched(child, matches);
  return sum;
}

/** Returns one of six colours. A name always has the same colour. */
function hash(name: string): number {
  let sum = 0;
  for (let at = 0; at < name.length; at++) sum = (sum * 31 + name.charCodeAt(at)) >>> 0;
  return sum % 6;
}
