import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly datasource: { readonly uid: string };
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } };
  readonly targets?: readonly Target[];
}

interface Dashboard {
  readonly schemaVersion: number;
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { name: string; type: string; query: unknown }[] };
}

const dashboard = JSON.parse(readFileSync(at('grafana/dashboard.json'), 'utf8')) as Dashboard;
const panels = dashboard.panels.filter(({ type }) => type !== 'row');

const promtool = (...words: string[]) => {
  const { status, stdout, stderr } = spawnSync('promtool', words, { cwd: at('prometheus/'), encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}` };
};

describe('the alert rules', () => {
  it.each(['recording-rules.yml', 'alert-rules.yml'])('promtool finds no fault in %s', (file) => {
    const { status, said } = promtool('check', 'rules', file);
    expect({ status, said }).toEqual({ status: 0, said: expect.stringContaining('SUCCESS') });
  });

  it('alerts fire and stay silent as their tests expect', () => {
    const { status, said } = promtool('test', 'rules', 'rules.test.yml');
    expect({ status, said }).toEqual({ status: 0, said: expect.stringContaining('SUCCESS') });
  });

  it('every alert has a test', () => {
    const names = [...readFileSync(at('prometheus/alert-rules.yml'), 'utf8').matchAll(/- alert: (\w+)/g)].map(
      ([, name]) => name,
    );
    const tested = readFileSync(at('prometheus/rules.test.yml'), 'utf8');
    expect(names.length).toBeGreaterThan(8);
    expect(names.filter((name) => !tested.includes(`alertname: ${name}`))).toEqual([]);
  });

  it('promtool finds no fault in the scrape configuration', () => {
    expect(promtool('check', 'config', at('sample/monitoring/prometheus.yml'))).toMatchObject({ status: 0 });
  });
});

describe('the Grafana dashboard', () => {
  it('the Grafana dashboard equals the output of make-dashboard.mjs', async () => {
    const made = (await import(at('grafana/make-dashboard.mjs'))) as { dashboard(): unknown };
    expect(dashboard).toEqual(JSON.parse(JSON.stringify(made.dashboard())));
  });

  it('the Grafana dashboard has a schema that Grafana 10 and later read', () => {
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(38);
    expect(dashboard.uid).toMatch(/^[\w-]{1,40}$/);
  });

  it('the Grafana dashboard has variables for the data source, the job, the instance and the cache, in this order', () => {
    expect(dashboard.templating.list.map(({ name, type }) => [name, type])).toEqual([
      ['datasource', 'datasource'],
      ['job', 'query'],
      ['instance', 'query'],
      ['cache', 'query'],
    ]);
    expect(JSON.stringify(dashboard.templating.list[2])).toContain('job=~\\"$job\\"');
    // An application with one cache has no label cache: an empty one matches too.
    expect(dashboard.templating.list[3]).toMatchObject({ allValue: '.*' });
  });

  it.each(panels)('the panel “$title” has a description, a unit and the variables for jobs and instances', (panel) => {
    expect(panel.description).toMatch(/^[A-Z].{15,}\.$/);
    expect(panel.fieldConfig?.defaults.unit).toMatch(/^(percentunit|reqps|ops|wps|s|short|bytes)$/);
    expect(panel.datasource?.uid).toBe('$datasource');
    expect(panel.targets?.length).toBeGreaterThan(0);
    for (const { expr, datasource } of panel.targets ?? []) {
      expect(datasource.uid).toBe('$datasource');
      for (const [, name, selector] of expr.matchAll(/(\w+)(\{[^}]*\})/g)) {
        expect(selector).toContain('job=~"$job"');
        expect(selector).toContain('instance=~"$instance"');
        expect([name, selector!.includes('cache=~"$cache"')]).toEqual([name, !/^(db|cache_warm)/.test(name!)]);
      }
      expect(expr).not.toMatch(/\[\d/);
    }
  });

  it('the Grafana dashboard has panels that do not overlap, and unique ids', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const taken = new Set<string>();
    for (const { gridPos, title } of dashboard.panels) {
      expect([title, gridPos.x + gridPos.w <= 24]).toEqual([title, true]);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, taken.has(`${x} ${y}`)]).toEqual([title, false]);
          taken.add(`${x} ${y}`);
        }
      }
    }
  });
});
