import { bytes, count, duration, exact, NONE, percent } from './format';
import { LadderChart, withError } from './ladder-chart';
import { Card, Loaded, Missing, Numbers, PatternLink, Term } from './parts';
import { type Resource, useResource } from './resource';
import { namedCache, subject } from './route';
import { figures, Table, wide } from './table';
import type { MemoryByPattern, MemoryLadder, MemoryRung, PatternMemory } from './wire';

const EVERY_MS = 30_000;
const SHOWN_HOLDERS = 100;

function useMemoryLadders(): Resource<readonly MemoryLadder[]> {
  return useResource('insights/memory', subject.value, EVERY_MS);
}

/** Requests what the memory layers of this instance hold: of one pattern, or of the `limit` patterns that take most. */
export function useHeldMemory(which: { pattern?: string; limit?: number }): Resource<readonly MemoryByPattern[]> {
  return useResource('stats/memory', { ...which, ...namedCache.value }, EVERY_MS);
}

/** Returns the bytes of one pattern and their share, in all memory layers together. */
export function memoryOf(held: readonly MemoryByPattern[] = []): { bytes: string; share: string } {
  if (held.length === 0) return { bytes: NONE, share: NONE };
  const all = held.reduce((sum, layer) => sum + layer.bytes, 0);
  const own = held.flatMap(({ patterns }) => patterns).reduce((sum, one) => sum + one.bytes, 0);
  return { bytes: bytes(own), share: percent(all === 0 ? null : own / all) };
}

/** Shows which patterns fill the memory. */
export function HeldMemoryCard() {
  const held = useHeldMemory({ limit: SHOWN_HOLDERS });
  return (
    <Card title="Memory by pattern" covers="this instance, now">
      <Loaded of={held} empty={(all) => all.length === 0} nothing="No layer of this cache is in memory.">
        {(all) => all.map((one) => <Holders key={one.layer} of={one} />)}
      </Loaded>
    </Card>
  );
}

function Holders({ of: { layer, patterns, sampled } }: { of: MemoryByPattern }) {
  return (
    <>
      <Table
        label={`Patterns in ${layer}`}
        rows={patterns}
        id={({ pattern }: PatternMemory) => pattern}
        nothing={`${layer} is empty.`}
        sort="Share"
        columns={[
          { name: 'Pattern', by: ({ pattern }) => pattern, cell: ({ pattern }) => <PatternLink name={pattern} /> },
          figures('Share', 'memory', (one: PatternMemory) => one.share, percent),
          figures('Memory', 'layerMemory', (one: PatternMemory) => one.bytes, bytes),
          wide(figures('Entries', 'entries', (one: PatternMemory) => one.entries, count)),
        ]}
      />
      {sampled < 1 && <p class="note">Estimated from {percent(sampled)} of the entries.</p>}
    </>
  );
}

/** Shows the predicted effects of more or less memory, for each memory layer. */
export function MemoryCard() {
  return (
    <Card title="Memory ladder" covers="simulated on the accesses observed">
      <Loaded
        of={useMemoryLadders()}
        absent="Other sizes are not tried here: insight is off, or not part of this release."
        empty={(all) => all.length === 0}
        nothing="Nothing is simulated: no layer of this cache is in memory, or nothing is counted."
      >
        {(all) => all.map((one) => <Drawn key={one.layer} of={one} many={all.length > 1} />)}
      </Loaded>
    </Card>
  );
}

const sizeOf = ({ factor }: MemoryRung) => `${FRACTIONS[factor] ?? factor} ×`;
const FRACTIONS: Readonly<Record<number, string>> = { 0.25: '¼', 0.5: '½' };

/** A column that only the ladder of a fleet has. */
const MISSES = {
  name: 'Misses per second',
  term: 'memoryMisses',
  numeric: true,
  cell: ({ misses_per_second }: MemoryRung) => (misses_per_second == null ? NONE : misses_per_second.toFixed(1)),
} as const;

function boundsOf({ max_entries, max_bytes }: MemoryRung): string {
  const bounds = [
    max_entries === null ? '' : `${count(max_entries)} entries`,
    max_bytes === null ? '' : bytes(max_bytes),
  ];
  return bounds.filter((text) => text !== '').join(', ') || 'no bound';
}

function Drawn({ of, many }: { of: MemoryLadder; many: boolean }) {
  const { layer, ladder, withheld, accesses, observed_ms, instances, missing, differing = [] } = of;
  const drawn = ladder.some(({ hit_rate }) => hit_rate !== null);
  return (
    <>
      {many && <h3>{layer}</h3>}
      {drawn && (
        <LadderChart
          steps={ladder.map((rung) => ({
            at: rung.factor,
            label: sizeOf(rung),
            hitRate: rung.hit_rate,
            error: rung.hit_rate_error,
          }))}
          marks={[{ at: 1, label: 'today' }]}
        />
      )}
      <p class="legend">
        {drawn && (
          <span>
            <i class="key-hits" />
            <Term name="ladderRate">hit rate of the layer, with its error</Term>
          </span>
        )}
        {instances !== undefined && <span class="muted">each of {exact(instances)} instances</span>}
        <span class="muted">
          {exact(accesses)} accesses in {duration(observed_ms)}
        </span>
      </p>
      {withheld && (
        <p class="note">
          {drawn ? 'No advice' : 'Not shown yet'}: {withheld}
        </p>
      )}
      <Missing instances={missing} />
      {differing.map(({ id, host, pid, share, why }) => (
        <p key={id} class="note">
          <bdi>{host}</bdi> ({pid}), with {percent(share)} of the requests, differs: {why}
        </p>
      ))}
      <Numbers of={many ? `the memory ladder of ${layer}` : 'the memory ladder'}>
        {() => (
          <Table
            label={many ? `Memory ladder of ${layer}` : 'Memory ladder'}
            rows={ladder}
            id={({ factor }) => factor}
            columns={[
              { name: 'Size', cell: (rung) => (rung.factor === 1 ? 'today' : sizeOf(rung)) },
              { name: 'Bounds', wide: true, cell: boundsOf },
              {
                name: 'Hit rate',
                term: 'ladderRate',
                numeric: true,
                cell: (rung) => withError(rung.hit_rate, rung.hit_rate_error),
              },
              ...(instances === undefined ? [] : [MISSES]),
              { name: 'Withheld', cell: (rung) => rung.withheld ?? '' },
            ]}
          />
        )}
      </Numbers>
    </>
  );
}
