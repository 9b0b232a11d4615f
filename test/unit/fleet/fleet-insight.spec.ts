import { beforeEach, describe, expect, it } from '@jest/globals';
import type { SharedMap } from '../../../lib/cache/layers/layer.js';
import { FleetInsight } from '../../../lib/fleet/fleet-insight.js';
import { insightBytes, readInsightNotes } from '../../../lib/fleet/insight-notes.js';
import type { Alert } from '../../../lib/insight/alerts/alert.js';
import type { HotKey, HotKeyFigures } from '../../../lib/insight/hot-key-figures.js';
import type { LadderFigures } from '../../../lib/insight/ladder-report.js';
import type { Recommendation } from '../../../lib/insight/recommendations/recommendation-types.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { seededRandom } from '../../support/seeded-traffic.js';

const EVERY = 5_000;
const own = { id: 'one', host: 'host', pid: 1 };
const moment = (minute: number) => new Date(1_700_000_000_000 + minute * 60_000).toISOString();

const alert = (id: string, openedAt: number, closedAt: number | null, subject = 'redis'): Alert => ({
  id, code: 'LAYER_DOWN', severity: 'critical', subject, message: 'It is away.', value: 'open', expected: null,
  openedAt: moment(openedAt), closedAt: closedAt === null ? null : moment(closedAt),
}); // prettier-ignore

const advice = (pattern: string, saved: number, since = 0): Recommendation => ({
  id: `RAISE_TTL:${pattern}`, code: 'RAISE_TTL', pattern, title: 'Raise', why: 'So many expire.',
  change: { option: 'ttl', from: '1m', to: '5m', code: "ttl: '5m'" },
  evidence: { accesses: 2_000, staleShare: null },
  predicted: { hitRate: 0.9, hitRateError: 0.01, staleShare: 0, timeSavedMsPerHour: saved, loadsPerHour: saved / 10 },
  confidence: 'high', since: moment(since),
}); // prettier-ignore

interface Known {
  readonly alerts?: readonly Alert[];
  readonly recommendations?: readonly Recommendation[];
}

describe('insight of a fleet', () => {
  let clock: ManualClock;
  let notes: Map<string, Uint8Array>;
  let answers: 'all' | 'fails' | 'never';
  const sharedMap: SharedMap = {
    publish: async (slot, bytes) => void notes.set(slot, bytes),
    read: async (slot) => notes.get(slot),
    readAll: async () => {
      if (answers === 'fails') throw new Error('away');
      return answers === 'never' ? new Promise(() => undefined) : new Map(notes);
    },
    withdraw: async (slot) => void notes.delete(slot),
  };

  beforeEach(() => {
    clock = new ManualClock();
    notes = new Map();
    answers = 'all';
  });

  const member = ({ alerts = [], recommendations = [] }: Known = {}, everyMs: number | undefined = EVERY) => {
    const insight = {
      enabled: true,
      alerts: ({ state = 'open' } = {}) => alerts.filter(({ closedAt }) => state === 'all' || closedAt === null),
      collectRecommendations: async ({ pattern }: { pattern?: string | undefined } = {}) =>
        recommendations.filter((one) => pattern === undefined || one.pattern === pattern),
      *ladderFigures(): Generator<void, ReadonlyMap<string, LadderFigures>> {
        yield;
        return new Map<string, LadderFigures>();
      },
      *hotKeyFigures(): Generator<void, readonly HotKeyFigures[]> {
        yield;
        return [];
      },
      *hotKeysWith(): Generator<void, readonly HotKey[]> {
        yield;
        return [];
      },
      keyHashOf: () => 0,
      memoryFigures: () => [],
      ttlLadderWith: () => ({ pattern: 'feed:*', ttlMs: 1, accesses: 0, observedMs: 0, ladder: [] }),
    };
    const fleet = new FleetInsight({ insight, own, sharedMap, everyMs, clock });
    fleet.onApplicationBootstrap();
    return fleet;
  };
  const noted = async () => {
    await clock.advance(EVERY);
    await settle();
  };

  it('insight of a fleet shows one alert for several instances with the same alert', async () => {
    const one = member({ alerts: [alert('a', 1, null)] });
    member({ alerts: [alert('b', 2, null), alert('c', 0, null, 'pool')] });
    await noted();
    const { value, instances } = await one.alerts('open');
    expect(instances).toBe(2);
    expect(value).toEqual([
      { ...alert('a', 1, null), instances: 2 },
      { ...alert('c', 0, null, 'pool'), instances: 1 },
    ]);
  });

  it('insight of a fleet shows an alert as open while one instance has it open, and a later alert separately', async () => {
    const one = member({ alerts: [alert('a', 1, 5), alert('d', 20, 21)] });
    member({ alerts: [alert('b', 2, null, 'other'), alert('c', 4, 8)] });
    await noted();
    expect((await one.alerts('open')).value).toMatchObject([{ id: 'b', instances: 1 }]);
    expect((await one.alerts('all')).value).toMatchObject([
      { id: 'd', instances: 1 },
      { id: 'b' },
      { id: 'a', closedAt: moment(8), instances: 2 },
    ]);
  });

  it('insight of a fleet adds up the savings of one change over instances, since the first instance found it', async () => {
    const one = member({ recommendations: [advice('feed:*', 100, 5), advice('user:*', 250)] });
    member({ recommendations: [advice('feed:*', 200, 3)] });
    await noted();
    const { value } = await one.recommendations(undefined);
    expect(value).toMatchObject([
      { pattern: 'feed:*', instances: 2, since: moment(3), predicted: { timeSavedMsPerHour: 300, loadsPerHour: 30, hitRate: 0.9 } },
      { pattern: 'user:*', instances: 1 },
    ]); // prettier-ignore
    expect((await one.recommendations('user:*')).value).toHaveLength(1);
  });

  it('insight of a fleet ignores notes that another program writes into the shared layer', async () => {
    const one = member({ alerts: [alert('a', 1, null)] });
    const other = insightBytes({
      alerts: [alert('b', 2, null)],
      recommendations: [advice('feed:*', 1)],
      ladders: new Map(),
      hotKeys: [],
      memory: undefined,
    })!;
    const random = seededRandom(9);
    for (let round = 0; round < 60; round++) {
      const bytes = other.slice(0, random() < 0.5 ? other.length : Math.floor(random() * other.length));
      if (bytes.length > 0) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      notes.set(`hostile-${round}`, bytes);
    }
    notes.set('empty', new Uint8Array(0));
    const { value } = await one.alerts('open');
    expect(value.every(({ subject, message }) => subject.length <= 1_024 && message.length <= 4_096)).toBe(true);
  });

  it('insight of a fleet reads an instance beside any number of unreadable notes', async () => {
    for (let at = 0; at < 100; at++) notes.set(`foreign-${at}`, Uint8Array.of(at));
    const one = member();
    member({ alerts: [alert('b', 2, null)] });
    await noted();
    expect(await one.alerts('open')).toMatchObject({ instances: 2, value: [{ id: 'b' }] });
  });

  it('insight of a fleet leaves out unknown fields, and entries whose fields are of another type', () => {
    const written = insightBytes({
      alerts: [
        { ...alert('a', 1, null), html: '<b>' } as Alert,
        { ...alert('b', 1, null), code: 'EVIL' as Alert['code'] },
      ],
      recommendations: [
        advice('feed:*', 1),
        { ...advice('user:*', 1), evidence: { ['__proto__x<']: 1 } as never },
        { ...advice('item:*', 1), predicted: { ...advice('item:*', 1).predicted, timeSavedMsPerHour: '9' as never } },
        { ...advice('page:*', 1), title: 'x'.repeat(5_000) },
      ],
      ladders: new Map(),
      hotKeys: [],
      memory: undefined,
    })!;
    expect(readInsightNotes(written, () => 0)).toMatchObject({
      alerts: [alert('a', 1, null)],
      recommendations: [advice('feed:*', 1)],
    });
    expect(readInsightNotes(written, () => 0)!.alerts[0]).not.toHaveProperty('html');
  });

  it.each(['fails', 'never'] as const)(
    'insight of a fleet is refused without a response of the shared layer: %s',
    async (how) => {
      const one = member();
      answers = how;
      const asked = one.alerts('open').catch(({ code }) => code);
      await clock.advance(2_000);
      expect(await asked).toBe('FLEET_UNAVAILABLE');
      answers = 'all';
      expect((await one.alerts('open')).instances).toBe(1);
    },
  );

  it('insight of a fleet is refused if fleets are off, and withdrawn with its instance', async () => {
    const off = new FleetInsight({ insight: undefined as never, own, sharedMap, everyMs: undefined, clock });
    const refused = (asked: Promise<unknown>) => asked.catch(({ code, message }) => `${code} ${message}`);
    expect(await refused(off.ttlLadder('feed:*'))).toMatch(
      /^FLEET_OFF TTL ladders of the whole fleet need fleet: true/,
    );
    expect(await refused(off.hotKeys(10))).toMatch(/^FLEET_OFF Hot keys of the whole fleet need/);
    expect(await refused(off.memoryLadders())).toMatch(/^FLEET_OFF Memory ladders of the whole fleet need/);
    expect(await refused(off.alerts('open'))).toMatch(/^FLEET_OFF Alerts of the whole fleet need/);
    const one = member();
    const other = member();
    await noted();
    expect((await one.ttlLadder('feed:*')).instances).toBe(2);
    await other.onApplicationShutdown();
    await clock.advance(EVERY);
    expect((await one.ttlLadder('feed:*')).instances).toBe(1);
  });
});
