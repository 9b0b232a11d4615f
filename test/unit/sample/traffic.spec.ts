import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { adviceLines, effectLines, follow, type Recommendation } from '../../../sample/traffic/advice.js';
import { Browser } from '../../../sample/traffic/browser.js';
import { Chance } from '../../../sample/traffic/chance.js';
import { crowd } from '../../../sample/traffic/crowd.js';
import { readOptions } from '../../../sample/traffic/options.js';
import { readChoices } from '../../../sample/traffic/choices.js';
import { Tally } from '../../../sample/traffic/tally.js';
import { Zipf } from '../../../sample/traffic/zipf.js';

const answer = (cache: string, milliseconds: number, status = 200) => ({ status, cache, milliseconds, text: '' });

describe('Zipf', () => {
  it('Zipf draws each rank with the frequency of its place', () => {
    const ranks = 50;
    const exponent = 0.9;
    const zipf = new Zipf(ranks, exponent);
    const chance = new Chance(7);
    const drawn = new Array<number>(ranks).fill(0);
    const draws = 200_000;
    for (let draw = 0; draw < draws; draw++) drawn[zipf.draw(chance)]!++;

    const weights = drawn.map((_, rank) => (rank + 1) ** -exponent);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    drawn.forEach((times, rank) => {
      const expected = (draws * weights[rank]!) / sum;
      expect(Math.abs(times - expected)).toBeLessThan(5 * Math.sqrt(expected));
    });
  });

  it('Zipf throws without ranks', () => {
    expect(() => new Zipf(0, 1)).toThrow(RangeError);
  });
});

describe('Chance', () => {
  it('Chance draws the same for the same seed and something else for another', () => {
    const draw = (seed: number) => {
      const chance = new Chance(seed);
      return Array.from({ length: 20 }, () => chance.next());
    };

    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
  });

  it('Chance spreads pauses around their mean', () => {
    const chance = new Chance(1);
    const pauses = Array.from({ length: 20_000 }, () => chance.pause(100));

    expect(pauses.reduce((sum, pause) => sum + pause, 0) / pauses.length).toBeCloseTo(99, -1);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(500);
  });
});

describe('Tally', () => {
  it('Tally reports latencies and outcomes by endpoint, the busiest first', () => {
    const tally = new Tally();
    for (let request = 1; request <= 100; request++)
      tally.add('GET /a', answer(request <= 80 ? 'HIT' : 'MISS', request));
    tally.add('GET /b', answer('-', 7, 404));

    expect(tally.endpoints()).toEqual([
      {
        endpoint: 'GET /a',
        requests: 100,
        outcomes: { HIT: 80, MISS: 20 },
        refused: 0,
        p50: 50,
        p95: 95,
        p99: 99,
        hitP50: 40,
        missP50: 90,
      },
      expect.objectContaining({ endpoint: 'GET /b', refused: 1, hitP50: null, missP50: null }),
    ]);
    expect(tally.fromCache).toBeCloseTo(80 / 101);
  });
});

describe('readOptions', () => {
  it('readOptions() drives fifty visitors for twenty seconds by default', () => {
    expect(readOptions([], {})).toEqual({
      baseUrl: new URL('http://localhost:3000'),
      seconds: 20,
      visitors: 50,
      think: 150,
      seed: 1,
      apply: false,
    });
    expect(readOptions(['--minutes', '5', '--apply'], {})).toMatchObject({ seconds: 300, apply: true });
    expect(readOptions(['--seconds', '5', '--visitors=7'], { BASE_URL: 'https://shop.test' })).toMatchObject({
      baseUrl: new URL('https://shop.test'),
      seconds: 5,
      visitors: 7,
    });
  });

  it.each([
    [['--seconds', 'soon'], {}, '--seconds is soon'],
    [['--visitors', '0'], {}, '--visitors is 0'],
    [['--visitors', ''], {}, '--visitors is empty'],
    [['--pace', '3'], {}, '--pace'],
    [[], { BASE_URL: 'localhost:3000' }, 'BASE_URL is localhost:3000'],
  ])('readOptions() refuses %j with %j', (words, environment, fault) => {
    expect(() => readOptions(words, environment)).toThrow(fault);
  });

  it('readOptions() requires nothing if help is requested', () => {
    expect(readOptions(['--help'], {})).toBeUndefined();
  });
});

describe('the crowd', () => {
  let server: Server | undefined;
  afterEach(() => new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined))));

  const marketplace = (seen: string[]): Promise<URL> => {
    server = createServer(({ method, url = '' }, response) => {
      seen.push(`${method} ${url}`);
      response.setHeader('content-type', 'application/json');
      response.setHeader('x-cache', 'HIT');
      if (url === '/') response.end('{"catalogue":{"products":100}}');
      else if (url.startsWith('/search/trending')) response.end('[{"term":"desk lamp"}]');
      else if (url === '/categories/top') response.end('[{"slug":"lighting"}]');
      else if (url === '/sessions') response.writeHead(201).end('{"token":"00"}');
      else if (url === '/sellers/live') response.end('[{"id":3,"name":"Birch"}]');
      else response.end('{"items":[{"id":5,"title":"Oak Stool"}]}');
    });
    return new Promise((resolve) =>
      server!.listen(0, '127.0.0.1', () =>
        resolve(new URL(`http://127.0.0.1:${(server!.address() as AddressInfo).port}`)),
      ),
    );
  };

  it('the crowd visits every part of the marketplace and counts its requests', async () => {
    const seen: string[] = [];
    const options = readOptions(['--visitors', '8', '--think', '0'], { BASE_URL: String(await marketplace(seen)) })!;
    const browser = new Browser(options.baseUrl, options.visitors);
    const around = await readChoices(browser);
    const asked = seen.length;
    const tally = new Tally();
    const ended = new AbortController();
    const enough = setInterval(() => tally.requests > 1_500 && ended.abort(), 5);
    await crowd(options, browser, around, tally, ended.signal);
    clearInterval(enough);
    browser.close();

    const parts = tally.endpoints();
    expect(parts.map(({ endpoint }) => endpoint).sort()).toEqual([
      'GET /categories/:slug',
      'GET /categories/top',
      'GET /feeds/discover',
      'GET /lessons/guides/:id',
      'GET /lessons/invoices/:id',
      'GET /lessons/prices/:id',
      'GET /lessons/stock/:shelf',
      'GET /products/:id',
      'GET /search',
      'GET /search/trending',
      'GET /sellers/:id',
      'GET /sellers/live',
      'GET /sessions/current',
      'POST /lessons/stock/:shelf',
      'POST /products/:id/purchase',
      'POST /sessions',
    ]);
    expect(tally.requests).toBe(seen.length - asked);
    expect(tally.fromCache).toBe(1);
    expect(seen.some((request) => request.includes('utm_source='))).toBe(true);
  });

  it('the crowd reports an unreachable marketplace', async () => {
    const url = await marketplace([]);
    const browser = new Browser(url, 4);
    const around = await readChoices(browser);
    await new Promise((resolve) => (server!.close(resolve), server!.closeAllConnections()));
    server = undefined;
    const options = readOptions(['--visitors', '4', '--think', '0'], { BASE_URL: String(url) })!;

    await expect(crowd(options, browser, around, new Tally(), new AbortController().signal)).rejects.toThrow(
      /stopped answering/,
    );
    browser.close();
  });

  it('the crowd repeats a request whose idle connection was closed, but buys nothing twice', async () => {
    const seen: string[] = [];
    const used = new WeakSet<object>();
    server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      if (used.has(request.socket)) request.socket.resetAndDestroy();
      else response.end('{}');
      used.add(request.socket);
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    const browser = new Browser(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), 1);
    await browser.get('/1');

    expect((await browser.post('/purchase', {})).status).toBe(200);
    expect((await browser.get('/2')).status).toBe(200);
    expect(seen).toEqual(['GET /1', 'POST /purchase', 'GET /2', 'GET /2']);
    browser.close();
  });

  it('the crowd refuses a server that is not the marketplace', async () => {
    server = createServer((_request, response) => response.end('<html>'));
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    const browser = new Browser(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), 1);

    await expect(readChoices(browser)).rejects.toThrow('/ answers no JSON');
    browser.close();
  });
});

describe('the advice', () => {
  const advice = (id: string, option: string, to: string | null): Recommendation => ({
    id,
    code: id.split(':')[0]!,
    pattern: id.slice(id.indexOf(':') + 1),
    title: `About ${id}`,
    why: 'Because.',
    change: { option, to, code: `{ ${option}: '${to}' }` },
    predicted: { hit_rate: 0.9, hit_rate_error: 0.02, time_saved_ms_per_hour: 42_000 },
  });

  it('advice is printed with the line to paste and the predicted gain', () => {
    expect(adviceLines([advice('RAISE_TTL:lesson-price:*', 'ttl', '30s')])).toMatch(
      /RAISE_TTL: About.*\n.*Because\.\n.*\{ ttl: '30s' \}\n.*90\.0 % ± 2\.0, 42 s/,
    );
    expect(adviceLines([])).toMatch(/^Nothing to change/);
  });

  it('advice is followed for the lessons alone, and shown with its effect', async () => {
    const puts: string[] = [];
    const server = createServer((request, response) => {
      puts.push(`${request.method} ${request.url}`);
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const browser = new Browser(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), 1);
    const chosen = new Set<string>();
    const followed = await follow(
      browser,
      [
        advice('RAISE_TTL:lesson-price:*', 'ttl', '30s'),
        advice('KEY_TOO_SPECIFIC:lesson-guide:*', 'ignore', 'query.ref'),
        advice('RAISE_TTL:product:*', 'ttl', '1h'),
      ],
      chosen,
    );
    browser.close();
    server.close();

    expect(puts).toEqual(['PUT /cache/policies?pattern=lesson-price%3A*']);
    expect([...chosen]).toEqual(['guides']);
    const counts = (pattern: string, hits: number, misses: number) =>
      [pattern, { pattern, cache_hits: hits, cache_misses: misses }] as const;
    const lines = effectLines(
      followed,
      new Map([counts('lesson-price:*', 50, 50), counts('lesson-guide:*', 0, 100)]),
      new Map([counts('lesson-price:*', 140, 60), counts('followed-guide:*', 92, 8)]),
    );
    expect(lines).toMatch(/RAISE_TTL:lesson-price:\*\s+PUT ttl: 30s\s+50\.0 %\s+90\.0 % ± 2\.0\s+90\.0 %/);
    expect(lines).toMatch(/KEY_TOO_SPECIFIC:lesson-guide:\*.*\s0\.0 %\s+90\.0 % ± 2\.0\s+92\.0 %/);
  });
});
