import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { Layer, ServerInfo } from '../../../lib/cache/layers/layer.js';
import { databaseFamilies } from '../../../lib/database/database-families.js';
import type { PoolRecord } from '../../../lib/database/pools/pool-record.js';
import type { QueryRecord } from '../../../lib/database/queries/query-record.js';
import { ServerFigures } from '../../../lib/exporters/server-figures.js';
import { createCacheMetrics } from '../../../lib/insight/create-cache-metrics.js';
import type { MetricFamily } from '../../../lib/metrics/family.js';
import { LiveEvents } from '../../../lib/monitoring/live/live-events.js';
import { WarmingMetrics } from '../../../lib/warming/warming-metrics.js';
import { ManualClock } from '../../support/manual-clock.js';

const page = readFileSync(new URL('../../../docs/observability.md', import.meta.url), 'utf8');

/** Every family that the library can export, whether it has anything to say or not. */
async function families(): Promise<MetricFamily[]> {
  const clock = new ManualClock();
  const { metrics } = createCacheMetrics({ clock });
  const redis = { name: 'redis', serverInfo: () => Promise.resolve({} as ServerInfo) } as Partial<Layer> as Layer;
  const servers = new ServerFigures(() => [redis], { clock });
  await servers.refresh();
  metrics.addSource(servers);
  metrics.addSource(new WarmingMetrics(() => null));
  metrics.addSource({ families: () => databaseFamilies([{} as PoolRecord], [{} as QueryRecord]) });
  const silent = { onProgress: () => () => undefined, watchInvalidations: () => () => undefined };
  new LiveEvents(metrics, silent, silent, 1, clock);
  return [...metrics.families()];
}

const documented = [
  ...page.matchAll(/^\| `((?:cache|db)_\w+)`\s*\| (\w+)\s*\| ([^|]*?)\s*\| ([^|]*?)\s*\| ([^|]+?)\s*\|$/gm),
].map(([, name, type, labels, unit, meaning]) => ({ name, type, labels, unit, meaning }));

describe('the catalogue of metrics in the handbook', () => {
  it('names every metric with its type, labels and unit, and none that there is not', async () => {
    const told = (await families()).map(({ name, type, labelNames, unit }) => ({
      name,
      type,
      labels: labelNames.length === 0 ? '–' : labelNames.map((label) => `\`${label}\``).join(', '),
      unit: unit ?? (type === 'gauge' ? '–' : type === 'counter' ? '–' : unit),
    }));
    const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }) => (a.name! < b.name! ? -1 : 1);
    expect(documented.map(({ meaning: _, ...row }) => row).sort(byName)).toEqual(told.sort(byName));
  });

  it('says what each means', () => {
    expect(documented.filter(({ meaning }) => meaning!.length < 10)).toEqual([]);
  });

  it('has no metric twice', () => {
    expect(new Set(documented.map(({ name }) => name)).size).toBe(documented.length);
  });

  it('names only panels that the dashboard has, and metrics that there are', async () => {
    const dashboard = JSON.parse(
      readFileSync(new URL('../../../sample/monitoring/grafana-dashboard.json', import.meta.url), 'utf8'),
    ) as { panels: { title: string }[] };
    const titles = new Set(dashboard.panels.map(({ title }) => title));
    const panels = [...page.matchAll(/“([^”]+)”/g)].map(([, title]) => title!);
    expect(panels.length).toBeGreaterThan(10);
    expect(panels.filter((title) => !titles.has(title))).toEqual([]);
    const names = new Set((await families()).map(({ name }) => name));
    const mentioned = [...page.matchAll(/`((?:cache|db)_[a-z_]+)(?:\{[^`]*)?`/g)].map(([, name]) => name!);
    expect(mentioned.filter((name) => !names.has(name))).toEqual([]);
  });
});
