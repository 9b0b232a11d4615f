import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { memoryLayer } from '../../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../../lib/cache/layers/redis/redis-layer.js';
import { checkedCached, checkedInvalidate } from '../../../lib/caching/decorator-options.js';
import { featureFaults, optionFaults, standaloneFaults } from '../../../lib/options/module-option-rules.js';

const options = readFileSync('docs/reference/options.md', 'utf8');
const decorators = readFileSync('docs/reference/decorators.md', 'utf8');

/** The names that an error lists after an unknown one. */
function allowed(faults: readonly (string | { readonly text: string })[] | undefined): string[] {
  const texts = (faults ?? []).map((fault) => (typeof fault === 'string' ? fault : fault.text));
  return /unknownname: is unknown.*?Allowed: (.*)$/m.exec(texts.join('\n'))![1]!.split(', ');
}

/** The error for an object with an unknown name. */
const unknown = { unknownname: 1 } as never;
const ofModule = (place: string) => allowed(optionFaults({ [place]: unknown }));

/** The names in the first column of the tables below a heading. */
function rows(page: string, heading: string): string[] {
  const level = heading.indexOf(' ');
  const below = page.slice(page.indexOf(`\n${heading}\n`) + heading.length + 2);
  const section = below.split(new RegExp(`^#{1,${level}} `, 'm'))[0]!;
  return [...section.matchAll(/^\| ((?:`[\w.]+`(?:, )?)+) +\|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([\w.]+)`/g)].map(([, name]) => name!),
  );
}

const sections: [name: string, page: string, heading: string, names: () => string[]][] = [
  ['http', options, '### `http`', () => ofModule('http')],
  ['metrics', options, '### `metrics`', () => ofModule('metrics')],
  ['health', options, '### `health`', () => ofModule('health')],
  ['monitoring', options, '### `monitoring`', () => ofModule('monitoring')],
  ['prometheus', options, '### `prometheus`', () => ofModule('prometheus')],
  ['warming', options, '### `warming`', () => ofModule('warming')],
  ['a policy', options, '## Policy', () => ['ttl', ...ofModule('policy')]],
  ['a named cache', options, '## Named caches', () => allowed(featureFaults('sessions', unknown, 'shop'))],
  ['memoryLayer()', options, '### `memoryLayer`', () => allowed(memoryLayer(unknown).faults)],
  ['@CacheInvalidate', decorators, '## `@CacheInvalidate(options)`', () => allowed(checkedInvalidate(unknown).faults)],
];

describe('the reference of options', () => {
  it.each(sections)('the reference of options has every option of %s and no other', (_name, page, heading, names) => {
    expect(rows(page, heading).sort()).toEqual(names().sort());
  });

  it('the reference of options has every option of the module', () => {
    const written = [
      ...rows(options, '### Cache'),
      ...rows(options, '### Observing, exporting and persistence'),
      ...[...options.matchAll(/^### `(\w+)`$/gm)].map(([, name]) => name!),
    ];
    expect(allowed(optionFaults(unknown)).filter((name) => !written.includes(name))).toEqual([]);
  });

  it('the reference of options has every option of redisLayer() and of layers outside the process, and no other', () => {
    const remote = rows(options, '### Layers outside the process');
    const inside = (place: string) => allowed(redisLayer({ [place]: unknown } as never).faults);
    const names = [...allowed(redisLayer(unknown).faults), ...inside('breaker'), ...inside('writes')];
    expect([...rows(options, '### `redisLayer`'), ...remote].sort()).toEqual(names.sort());
  });

  it('the reference of options has every option of @Cached besides those of a policy, and no other', () => {
    const policy = rows(options, '## Policy');
    const names = allowed(checkedCached(unknown).faults).filter((name) => !policy.includes(name) || name === 'tags');
    expect(rows(decorators, '### Options').sort()).toEqual(names.sort());
  });

  it('the reference of decorators has every reason of X-Cache: BYPASS, and no other', () => {
    const gate = readFileSync('lib/caching/gate/request-gate.ts', 'utf8');
    const reasons = [...gate.matchAll(/new Bypass\(BypassReason\.\w+, '([\w-]+)'/g)].map(([, reason]) => reason!);
    expect(reasons.length).toBeGreaterThan(5);
    const section = decorators.slice(decorators.indexOf('\n## `X-Cache`\n')).split('\n## ')[1]!;
    expect([...section.matchAll(/^\| `([\w-]+)`/gm)].map(([, reason]) => reason!).sort()).toEqual(reasons.sort());
  });

  it('the reference of options names every option of createObservedCache()', () => {
    const section = options.slice(options.indexOf('\n## Without Nest\n'));
    expect(allowed(standaloneFaults(unknown)).filter((name) => !section.includes(`\`${name}\``))).toEqual([]);
  });
});
