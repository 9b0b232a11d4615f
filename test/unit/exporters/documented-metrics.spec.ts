import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { CallbackErrors } from '../../../lib/cache/base/callback-errors.js';
import type { Layer, ServerInfo } from '../../../lib/cache/layers/layer.js';
import { databaseFamilies } from '../../../lib/database/records/database-families.js';
import type { PoolRecord } from '../../../lib/database/records/pool-record.js';
import type { QueryRecord } from '../../../lib/database/records/query-record.js';
import { FaultFigures } from '../../../lib/exporters/fault-figures.js';
import { ServerFigures } from '../../../lib/exporters/server-figures.js';
import { createCacheMetrics } from '../../../lib/insight/create-cache-metrics.js';
import { CachesByServer } from '../../../lib/cache/layers/caches-by-server.js';
import { ServerOutages } from '../../../lib/insight/alerts/server-outages.js';
import { CacheAlerts } from '../../../lib/insight/alerts/cache-alerts.js';
import type { MetricFamily } from '../../../lib/metrics/family.js';
import { LiveEvents } from '../../../lib/monitoring/live-events.js';
import { WarmingMetrics } from '../../../lib/warming/warming-metrics.js';
import { ManualClock } from '../../support/manual-clock.js';

const reference = readFileSync('docs/reference/metrics.md', 'utf8');
const observability = readFileSync('docs/observability.md', 'utf8');

/** Every family that the library can export, with or without values. */
async function families(): Promise<MetricFamily[]> {
  const clock = new ManualClock();
  const { metrics } = createCacheMetrics({ clock });
  const redis = { name: 'redis', serverInfo: () => Promise.resolve({} as ServerInfo) } as Partial<Layer> as Layer;
  const servers = new ServerFigures(() => [redis], { clock });
  await servers.refresh();
  metrics.addSource(servers);
  metrics.addSource(new FaultFigures(() => [], new CallbackErrors()));
  metrics.addSource(new WarmingMetrics(() => null));
  metrics.addSource({ families: () => databaseFamilies([{} as PoolRecord], [{} as QueryRecord]) });
  const alerts = { webhook: { url: 'http://alerts.test' } };
  const outages = new ServerOutages(new CachesByServer());
  const callbacks = new CallbackErrors();
  metrics.addSource(new CacheAlerts({ metrics, clock, callbacks, options: alerts, cache: 'default', outages }));
  const stop = () => () => undefined;
  const silent = { onProgress: stop, watchInvalidations: stop, watchAlerts: stop, tuning: { watch: stop } };
  new LiveEvents(metrics, silent, silent, 1, clock);
  return [...metrics.families()];
}

const documented = [
  ...reference.matchAll(/^\| `((?:cache|db)_\w+)`\s*\| (\w+)\s*\| ([^|]*?)\s*\| ([^|]*?)\s*\| ([^|]+?)\s*\|$/gm),
].map(([, name, type, labels, unit, meaning]) => ({ name, type, labels, unit, meaning }));

describe('the reference of metrics', () => {
  it('the reference of metrics names every metric with its type, labels and unit, and no other', async () => {
    const exported = (await families()).map(({ name, type, labelNames, unit }) => ({
      name,
      type,
      labels: labelNames.length === 0 ? '–' : labelNames.map((label) => `\`${label}\``).join(', '),
      unit: unit ?? (type === 'gauge' ? '–' : type === 'counter' ? '–' : unit),
    }));
    const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }) => (a.name! < b.name! ? -1 : 1);
    expect(documented.map(({ meaning: _, ...row }) => row).sort(byName)).toEqual(exported.sort(byName));
  });

  it('the reference of metrics describes each metric', () => {
    expect(documented.filter(({ meaning }) => meaning!.length < 10)).toEqual([]);
  });

  it('the reference of metrics names no metric twice', () => {
    expect(new Set(documented.map(({ name }) => name)).size).toBe(documented.length);
  });

  it('the reference of metrics names only existing panels and metrics', async () => {
    const dashboard = JSON.parse(readFileSync('grafana/dashboard.json', 'utf8')) as {
      panels: { title: string }[];
    };
    const titles = new Set(dashboard.panels.map(({ title }) => title));
    const panels = [...observability.matchAll(/“([^”]+)”/g)].map(([, title]) => title!);
    expect(panels.length).toBeGreaterThan(10);
    expect(panels.filter((title) => !titles.has(title))).toEqual([]);
    const names = new Set((await families()).map(({ name }) => name));
    const mentioned = [
      ...`${reference}
${observability}`.matchAll(/`((?:cache|db)_[a-z_]+)(?:\{[^`]*)?`/g),
    ].map(([, name]) => name!);
    expect(mentioned.filter((name) => !names.has(name))).toEqual([]);
  });
});
