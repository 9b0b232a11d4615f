import { useState } from 'preact/hooks';
import { AdviceList, useAdvice } from './advice';
import { HistoryCharts } from './charts';
import { hitRate, loadP50, misses, requests, responseP95, timeLost, trend } from './columns';
import { EndpointTable, useEndpoints } from './endpoints';
import { bytes, count, duration, exact, NONE, percent, visible } from './format';
import { issueText } from './issue-text';
import { Ladder } from './ladder';
import { memoryOf, useHeldMemory } from './memory';
import { useHistory, usePatterns } from './overview';
import { AccessFacts, Card, Copy, Fact, Loaded, Missing, lostMs, PatternLink, ReasonBar, Term } from './parts';
import { Policy, ttlOf, usePolicies } from './policy';
import { useResource } from './resource';
import { hrefOf, route, subject, windowName } from './route';
import { figures, Table, wide } from './table';
import type { Context, HotKey, PatternStats, PolicyReport } from './wire';

const SPARKLINES = 100;
const SLOW_MS = 15_000;

const staleShare = (row: PatternStats) => (row.cache_hits === 0 ? null : row.stale_hits / row.cache_hits);

export function PatternsPage() {
  const [filter, setFilter] = useState('');
  const patterns = usePatterns();
  const history = useHistory(undefined, SPARKLINES);
  const policies = usePolicies();
  const memory = new Map(useHeldMemory({}).data?.flatMap((layer) => layer.patterns.map((one) => [one.pattern, one])));
  const points = new Map(history.data?.patterns.map((one) => [one.pattern, one.points]));
  const ttls = new Map(policies.data?.map((one) => [one.pattern, ttlOf(one)]));
  const wanted = filter.trim().toLowerCase();
  return (
    <Card title="Patterns">
      <label class="filter">
        Filter
        <input type="search" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
      </label>
      <Loaded of={patterns}>
        {(rows) => (
          <Table
            label="Patterns"
            rows={wanted === '' ? rows : rows.filter(({ pattern }) => pattern.toLowerCase().includes(wanted))}
            id={(row) => row.pattern}
            nothing={rows.length === 0 ? 'No pattern was counted yet.' : `No pattern holds “${filter.trim()}”.`}
            sort="Time lost"
            columns={[
              { name: 'Pattern', by: (row) => row.pattern, cell: (row) => <PatternLink name={row.pattern} /> },
              timeLost,
              hitRate,
              wide(trend<PatternStats>((row) => points.get(row.pattern))),
              requests,
              wide(responseP95),
              wide(loadP50),
              { name: 'TTL', term: 'ttl', numeric: true, wide: true, cell: (row) => ttls.get(row.pattern) ?? NONE },
              wide(misses),
              wide(figures('Stale', 'stale', staleShare, percent)),
              wide(
                figures('Memory', 'memory', ({ pattern }: PatternStats) => memory.get(pattern)?.bytes ?? null, bytes),
              ),
              wide(figures('Size', 'size', (row: PatternStats) => row.avg_value_bytes, bytes)),
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}

export function PatternPage({ context }: { context: Context | undefined }) {
  const name = route.value.subject;
  const patterns = usePatterns({ pattern: name });
  const history = useHistory(name);
  const advice = useAdvice(name);
  const memory = memoryOf(useHeldMemory({ pattern: name }).data);
  const own = patterns.data?.find(({ pattern }) => pattern === name);
  const policy = usePolicies(name).data?.find(({ pattern }) => pattern === name);
  return (
    <>
      <h1 class="pattern">
        <bdi>{visible(name)}</bdi>
        {own && (
          <Copy
            what={`the figures of ${name}`}
            text={() => textOf(own, policy, `${memory.bytes}, ${memory.share} of it`)}
          />
        )}
      </h1>
      <Card title="Pattern">
        <Loaded
          of={{ ...patterns, data: patterns.data && (own ?? null) }}
          empty={(row) => row === null}
          nothing={
            <p>
              This pattern was not counted here. It may belong to another instance or cache.{' '}
              <a href={hrefOf({ page: 'patterns' })}>All patterns</a>
            </p>
          }
        >
          {(row) => <Facts of={row!} memory={memory} />}
        </Loaded>
      </Card>
      <Card title="Over time">
        <Loaded of={history}>{(data) => <HistoryCharts history={data} context={context} />}</Loaded>
      </Card>
      <div class="two">
        <Card title="Advice" covers="by what was observed">
          <AdviceList of={advice} />
        </Card>
        <Policy pattern={name} />
      </div>
      <div class="two">
        <Ladder pattern={name} />
        <HotKeys pattern={name} />
      </div>
      <Card title="Endpoints" covers={`of the handlers that declare this pattern, last ${windowName.value}`}>
        <Loaded of={useEndpoints(name)}>
          {(rows) => (
            <EndpointTable
              label="Endpoints of the pattern"
              rows={rows}
              nothing="No endpoint of a handler that declares this pattern was asked."
            />
          )}
        </Loaded>
      </Card>
    </>
  );
}

function Facts({ of, memory }: { of: PatternStats; memory: ReturnType<typeof memoryOf> }) {
  const notKept = Object.entries(of.not_kept).filter(([, times]) => times > 0);
  return (
    <>
      <dl class="facts">
        <AccessFacts of={of} />
        <Fact term="p95" label="Response p95" value={duration(of.p95_response_time_ms)} />
        <Fact term="load" label="Load p50" value={duration(of.p50_load_time_ms)} />
        <Fact term="load" label="Load p95" value={duration(of.p95_load_time_ms)} />
        <Fact term="loadErrors" label="Load errors" value={exact(of.load_errors)} />
        <Fact term="stale" label="Stale" value={percent(staleShare(of))} />
        <Fact term="size" label="Mean size" value={bytes(of.avg_value_bytes)} />
        <Fact term="memory" label="Memory" value={memory.bytes} />
        <Fact term="memory" label="Memory share" value={memory.share} />
      </dl>
      <p>
        <Term name="reasons">Misses</Term>: <ReasonBar reasons={of.miss_reasons} legend />
      </p>
      {notKept.length > 0 && (
        <p>
          Loaded and not kept: {notKept.map(([why, times]) => `${why.replace('_', ' ')} ${exact(times)}`).join(', ')}
        </p>
      )}
    </>
  );
}

/** Lists the keys with the most requests. The application masks parts that may identify a person. */
function HotKeys({ pattern }: { pattern: string }) {
  const keys = useResource<readonly HotKey[]>('hot-keys', { limit: 100, ...subject.value }, SLOW_MS);
  return (
    <Card title="Hot keys" covers="of those followed at this moment, masked by the application">
      <Loaded
        of={keys.data === undefined ? keys : { ...keys, data: keys.data.filter((one) => one.pattern === pattern) }}
        absent="The hottest keys are not followed here: insight is off, or not part of this release."
      >
        {(all) => (
          <>
            <Missing instances={all[0]?.missing} />
            <Table
              label="Hot keys"
              rows={all.slice(0, 10)}
              id={({ id }) => id}
              nothing="No key of this pattern is among the hottest."
              columns={[
                {
                  name: 'Key',
                  cell: ({ key, id }) => (
                    <>
                      <bdi class="pattern">{key}</bdi> <span class="code">{id.slice(0, 6)}</span>
                    </>
                  ),
                },
                { name: 'Requests', term: 'requests', numeric: true, cell: (row) => count(row.requests) },
                { name: 'Share', term: 'share', numeric: true, cell: (row) => percent(row.share) },
              ]}
            />
          </>
        )}
      </Loaded>
    </Card>
  );
}

function textOf(of: PatternStats, policy: PolicyReport | undefined, memory: string): string {
  const reasons = Object.entries(of.miss_reasons).filter(([, times]) => times > 0);
  return issueText({
    title: `Cache pattern ${of.pattern}, last ${windowName.value}`,
    about: { pattern: of.pattern },
    evidence: {
      'time lost to misses': `${duration(lostMs(of))} (${exact(of.cache_misses)} misses × ${duration(of.p50_load_time_ms)})`,
      'hit rate': `${percent(of.hit_rate)} of ${exact(of.total_requests)} requests`,
      'response p95': duration(of.p95_response_time_ms),
      'load p95': duration(of.p95_load_time_ms),
      misses: reasons.map(([why, times]) => `${why} ${exact(times)}`).join(', ') || 'none',
      'mean size': bytes(of.avg_value_bytes),
      'memory of this instance': memory,
      ...(policy && { TTL: ttlOf(policy) }),
    },
    declaredBy: policy?.declared_by,
  });
}
