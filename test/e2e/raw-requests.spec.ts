import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { applyDecorators, Controller, Get, Headers, Param, Query, type Type, UseGuards } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import type { CachedOptions } from '../../lib/caching/options/cached.options.js';
import { FastLane } from '../../lib/caching/fast-lane/fast-lane.js';
import { RouteAnswer } from '../../lib/caching/http/route-answer.js';
import { boot, closeApps, platforms } from '../support/apps.js';
import { Open } from '../support/guards.js';

/*
 * Promise: whatever bytes arrive, a cached handler responds as the same handler does without a cache, on every path of
 * a hit. The handlers return their inputs, so a response that belongs to another request shows in its body.
 */

/** One application per path. All have the same URLs, so that the same bytes go to each. */
const ways = {
  uncached: controllerOf(() => applyDecorators()),
  route: controllerOf((pattern) => Cached(pattern)),
  chain: controllerOf((pattern) => applyDecorators(UseGuards(Open), Cached(pattern))),
  lane: controllerOf((pattern) => Cached(pattern, { fastLane: true } satisfies CachedOptions)),
};
type Way = keyof typeof ways;

function controllerOf(cached: (pattern: string) => MethodDecorator): Type {
  @Controller()
  class Raw {
    @Get('items/:id')
    @cached('item:*')
    item(
      @Param('id') id: string,
      @Query('page') page: unknown,
      @Query('tag') tag: unknown,
      @Headers('x-lang') lang: string,
    ) {
      return { id, page, tag, lang };
    }

    @Get('items/:id/parts/:part')
    @cached('part:*')
    part(@Param('id') id: string, @Param('part') part: string) {
      return { id, part };
    }

    @Get('text/:id')
    @cached('text:*')
    text(@Param('id') id: string, @Query() query: Readonly<Record<string, unknown>>) {
      // Parameters in another order are the same query to a cache.
      return `${id} ${JSON.stringify(Object.entries(query).sort())}`;
    }

    @Get('end')
    end() {
      return { end: true };
    }
  }
  return Raw;
}

const targets = [
  // Case, slashes, dots.
  ...[
    '/items/7',
    '/items/7/',
    '/items/7//',
    '//items/7',
    '/items//7',
    '/ITEMS/7',
    '/Items/7',
    '/items/7/.',
    '/items/./7',
  ],
  ...[
    '/items/../items/7',
    '/x/../items/7',
    '/items/7/../8',
    '/items/..',
    '/items/%2e%2e/items/7',
    '/items/',
    '/items',
    '/',
  ],
  ...[
    '/items/7/parts/8',
    '/items/7/parts/8/',
    '/items/7//parts/8',
    '/items/7%2Fparts%2F8',
    '/items/7/parts/',
    '/items//parts/8',
  ],
  // Encodings of one text and of other texts.
  ...[
    '/items/%37',
    '/%69tems/7',
    '/items/7%20',
    '/items/%207',
    '/items/7%2F',
    '/items/%2F7',
    '/items/7%00',
    '/items/%252f7',
  ],
  ...[
    '/items/%C3%A9',
    '/items/e%CC%81',
    '/items/\xc3\xa9',
    '/items/\xe9',
    '/items/%E0%A4%A',
    '/items/%',
    '/items/%zz',
    '/items/%ff',
  ],
  ...[
    '/items/7;v=1',
    '/items/7,8',
    '/items/7:8',
    '/items/7|8',
    '/items/*',
    '/items/7*',
    '/items/{7}',
    '/items/"7"',
    '/items/\\7',
  ],
  ...[
    '/items/__proto__',
    '/items/constructor',
    '/items/null',
    '/items/undefined',
    '/items/7=8',
    '/items/7&page=2',
    '/items/7%3Fpage=2',
  ],
  // Queries.
  ...[
    '/items/7?',
    '/items/7??',
    '/items/7?&',
    '/items/7?page',
    '/items/7?page=',
    '/items/7?page=2',
    '/items/7?page=2&',
    '/items/7?PAGE=2',
  ],
  ...[
    '/items/7?page=2&page=3',
    '/items/7?page=3&page=2',
    '/items/7?page[]=2',
    '/items/7?page%5B%5D=2',
    '/items/7?page[a]=2',
  ],
  ...[
    '/items/7?page=2,3',
    '/items/7?page=%32',
    '/items/7?page=+2',
    '/items/7?page=%2B2',
    '/items/7?page=%202',
    '/items/7?page%3D2',
  ],
  ...[
    '/items/7?tag=a&page=2',
    '/items/7?page=2&tag=a',
    '/items/7?tag=a%26page%3D2',
    '/items/7?other=1',
    '/items/7?page=2;tag=a',
  ],
  ...[
    '/items/7?__proto__=x&page=2',
    '/items/7?__proto__[page]=2',
    '/items/7?constructor=1',
    '/items/7?page=%ff',
    '/items/7?page=%',
    '/items/7?page=2#tag',
    '/items/7#page',
  ],
  ...[
    '/text/7',
    '/text/7?a=1&b=2',
    '/text/7?b=2&a=1',
    '/text/7?a=1&a=2',
    '/text/7?a=2&a=1',
    '/text/7?a',
    '/text/7?a=',
    '/text/7?=a',
    '/text/7?a=1&a=1',
  ],
  ...[
    `/items/${'7'.repeat(90)}`,
    `/items/${'7'.repeat(300)}`,
    `/items/7?page=${'2'.repeat(3_000)}`,
    `/items/7?${'x'.repeat(2_100)}`,
  ],
  // Other request targets than a path.
  ...[
    'http://one.example/items/7',
    'http://two.example/items/7?page=2',
    'HTTP://one.example/items/7',
    'https://one.example/items/7',
  ],
  ...[
    'http://ann:secret@one.example/items/7',
    'http://one.example:80/items/7',
    'http://one.example//items/7',
    'http://one.example',
  ],
  ...[
    'http://one.example?page=2',
    'http:///items/7',
    'http:/items/7',
    'http://[::1]/items/7',
    'ftp://one.example/items/7',
    'one.example/items/7',
  ],
  ...[
    'items/7',
    '*',
    '?page=2',
    '#',
    ':80/items/7',
    '/items/7 ',
    '/items/7 x',
    '/items/\t7',
    '/http://one.example/items/7',
  ],
];

const HOST = 'Host: one.example';
const methods = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'SEARCH',
  'QUERY',
  'PROPFIND',
  'get',
  'BREW',
  'GETS',
  '',
];

/** Lines of a header, besides the host. */
const headers: readonly (readonly string[])[] = [
  // One header twice, in other spellings, empty, in one line.
  ...[
    ['X-Lang: de'],
    ['x-lang: fr'],
    ['X-LANG:de'],
    ['X-Lang:   de  '],
    ['X-Lang:'],
    ['X-Lang: de', 'X-Lang: fr'],
    ['X-Lang: fr', 'x-lang: de'],
  ],
  ...[
    ['X-Lang: de, fr'],
    ['X-Lang: d\xe9'],
    ['X-Lang: d\xc3\xa9'],
    ['X-Lang: de\r\n fr'],
    ['X-Lang: de\tfr'],
    ['X_Lang: de'],
    ['X-Lang : de'],
    [' X-Lang: de'],
  ],
  // Callers.
  ...[
    ['Authorization: Bearer a'],
    ['Authorization:'],
    ['Authorization: Bearer a', 'Authorization: Bearer b'],
    ['Cookie: a=1'],
    ['Cookie: a=1', 'Cookie: b=2'],
    ['Proxy-Authorization: Basic a'],
  ],
  ...[
    ['Origin: https://one.example'],
    ['Origin: null'],
    ['X-Forwarded-Host: two.example'],
    ['X-Forwarded-Proto: https'],
    ['Forwarded: host=two.example'],
    ['X-Original-URL: /items/8'],
    ['X-Rewrite-URL: /items/8'],
    ['X-HTTP-Method-Override: POST'],
  ],
  // Directives to a cache and options of the connection.
  ...[
    ['Cache-Control: no-cache'],
    ['Cache-Control: no-store'],
    ['Cache-Control: only-if-cached'],
    ['Pragma: no-cache'],
    ['Range: bytes=0-3'],
    ['If-Range: "a"', 'Range: bytes=0-3'],
    ['If-Match: "a"'],
    ['If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT'],
    ['If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT'],
  ],
  ...[
    ['Accept: text/html'],
    ['Accept: */*;q=0'],
    ['Accept-Encoding: gzip, br'],
    ['TE: trailers'],
    ['Trailer: X-Lang'],
    ['Connection: keep-alive'],
    ['Connection: X-Lang', 'X-Lang: de'],
    ['Upgrade: h2c', 'Connection: Upgrade'],
    ['Upgrade: websocket', 'Connection: Upgrade'],
  ],
  ...[
    ['Expect: 100-continue'],
    ['Expect: 100-Continue'],
    ['Expect: a-miracle'],
    [`X-Long: ${'x'.repeat(9_000)}`],
    ['no colon'],
    ['X-Null: a\0b'],
    ['__proto__: x'],
  ],
];

/** Whole messages, after the request line and the host. */
const bodies: readonly string[] = [
  'Content-Length: 0\r\n\r\n',
  'Content-Length: 5\r\n\r\nhello',
  'Content-Length: 2\r\nContent-Type: application/json\r\n\r\n{}',
  'Content-Length: 1\r\nContent-Type: application/json\r\n\r\n{',
  'Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello',
  'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
  'Content-Length: -5\r\n\r\n',
  'Content-Length: 0x5\r\n\r\n',
  'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-Lang: de\r\n\r\n',
  'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n',
  'Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello',
];

const get = (target = '/items/7', version = 'HTTP/1.1') => `GET ${target} ${version}\r\n${HOST}\r\n\r\n`;

/** Everything that is written to one connection. */
const requests: string[] = [
  ...targets.map((target) => get(target)),
  ...methods.map((method) => `${method} /items/7?page=2 HTTP/1.1\r\n${HOST}\r\nContent-Length: 0\r\n\r\n`),
  ...headers.map((lines) => `GET /items/7 HTTP/1.1\r\n${[HOST, ...lines].join('\r\n')}\r\n\r\n`),
  ...bodies.map((message) => `GET /items/7 HTTP/1.1\r\n${HOST}\r\n${message}`),
  ...['HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1', 'ICE/1.0', ''].map((version) =>
    get('/items/7', version),
  ),
  // Hosts.
  'GET /items/7 HTTP/1.1\r\n\r\n',
  'GET /items/7 HTTP/1.0\r\n\r\n',
  'GET /items/7 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
  'GET /items/7 HTTP/1.1\r\nHost:\r\n\r\n',
  'GET /items/7 HTTP/1.1\r\nHost: one.example\r\nHost: two.example\r\n\r\n',
  'GET /items/7 HTTP/1.1\r\nHost: a b\r\n\r\n',
  // Ends of lines.
  'GET /items/7 HTTP/1.1\nHost: one.example\n\n',
  'GET /items/7 HTTP/1.1\r\nHost: one.example\r\nX-Lang: de\rX-Lang: fr\r\n\r\n',
  `\r\n\r\n${get()}`,
  `GET  /items/7  HTTP/1.1\r\n${HOST}\r\n\r\n`,
  // Several requests on one connection.
  get('/items/7') + get('/items/8'),
  get('/items/7').repeat(20),
  `HEAD /items/7 HTTP/1.1\r\n${HOST}\r\n\r\n${get('/items/8')}`,
  `POST /items/7 HTTP/1.1\r\n${HOST}\r\nContent-Length: 5\r\n\r\nhello${get('/items/8')}`,
  `GET /items/7 HTTP/1.1\r\n${HOST}\r\nContent-Length: 5\r\n\r\nhello${get('/items/8')}`,
  `GET /items/7 HTTP/1.1\r\n${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n${get('/items/8')}`,
  get('/nothing') + get('/items/7') + get('/nothing'),
  get('/items/7') + get('/items/%zz') + get('/items/8'),
  `GET /items/7 HTTP/1.1\r\n${HOST}\r\nX-Lang: de\r\n\r\n${get('/items/7')}GET /items/7 HTTP/1.1\r\n${HOST}\r\nX-Lang: fr\r\n\r\n`,
  `GET /items/7 HTTP/1.1\r\n${HOST}\r\nConnection: close\r\n\r\n`,
  `GET /items/7 HTTP/1.1\r\n${HOST}\r\nContent-Length: 44\r\n\r\nGET /items/8 HTTP/1.1\r\nHost: one.example\r\n\r\n`,
];

const END = `GET /end HTTP/1.1\r\n${HOST}\r\nConnection: close\r\n\r\n`;

interface Answer {
  readonly status: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** True if the server closes the connection, so that the result of later requests depends on timing. */
const closes = (bytes: string) =>
  /Connection: close/.test(bytes) || (/ HTTP\/(0\.9|1\.0|2\.0)\r/.test(bytes) && !/Connection: keep-alive/.test(bytes));

/** The bytes that a connection receives until the server closes it. */
function send(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(Buffer.from(bytes + (closes(bytes) ? '' : END), 'latin1')),
    );
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk;
      // Node reads nothing more from a connection that requested an upgrade, and leaves it open.
      if (bytes.includes('Upgrade:') && received.endsWith('}')) socket.destroy();
    });
    socket
      .on('close', () => resolve(received))
      .on('error', (error: NodeJS.ErrnoException) => {
        // The server may close while we still write.
        if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
      });
  });
}

/** Some at a time, as connections come. */
async function eachOf(all: readonly string[], task: (bytes: string) => Promise<void>): Promise<void> {
  const left = [...all];
  const next = async () => {
    for (let bytes = left.shift(); bytes !== undefined; bytes = left.shift()) await task(bytes);
  };
  await Promise.all(Array.from({ length: 8 }, next));
}

/** Headers that a cache adds by design, or that Node computes per response. */
const NOT_COMPARED = new Set(['date', 'etag', 'x-cache', 'vary', 'cache-control', 'last-modified']);

function answersOf(received: string, bytes: string): Answer[] {
  const heads = [...bytes.matchAll(/(?:^|\r\n|\n|[^A-Z])(HEAD) /g)].length > 0;
  const answers: Answer[] = [];
  let rest = received;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return [...answers, { status: 'broken', headers: {}, body: rest }];
    const [status, ...lines] = rest.slice(0, end).split('\r\n');
    rest = rest.slice(end + 4);
    const all = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    let body: string;
    if (all['transfer-encoding'] === 'chunked') {
      const last = rest.indexOf('0\r\n\r\n');
      body = rest.slice(0, last);
      rest = rest.slice(last + 5);
    } else {
      // The response to HEAD states the length of a body that is not sent.
      const length = heads && /^(HTTP\/|$)/.test(rest) ? 0 : Number(all['content-length'] ?? 0);
      body = rest.slice(0, length);
      rest = rest.slice(length);
    }
    const kept = Object.entries(all).filter(([name]) => !NOT_COMPARED.has(name));
    answers.push({ status: status!, headers: Object.fromEntries(kept.sort()), body });
  }
  return answers;
}

it('the table of raw requests contains each request once', () => {
  expect(requests.length).toBeGreaterThanOrEqual(227);
  expect(new Set(requests).size).toBe(requests.length);
});

describe.each(platforms)('raw requests on %s', (platform) => {
  const ports = {} as Record<Way, number>;

  beforeAll(async () => {
    for (const way of Object.keys(ways) as Way[]) {
      const { app } = await boot(
        platform,
        {
          imports: [CacheObservabilityModule.forRoot({ prometheus: false, monitoring: false })],
          controllers: [ways[way]],
        },
        { configure: (configured) => configured.enableCors({ origin: true }) },
      );
      const server = app.getHttpServer() as Server;
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
      ports[way] = (server.address() as AddressInfo).port;
    }
  });
  afterAll(closeApps);

  it('raw requests get the same response on route, chain and lane as without a cache', async () => {
    const lane = jest.spyOn(FastLane.prototype, 'answer');
    const route = jest.spyOn(RouteAnswer.prototype, 'answer');
    const expected = new Map<string, Answer[]>();
    await eachOf(requests, async (bytes) => {
      expected.set(bytes, answersOf(await send(ports.uncached, bytes), bytes));
    });
    // The lane answers requests that it has seen three times.
    for (let pass = 0; pass < 4; pass++) {
      await eachOf(requests, async (bytes) => {
        for (const way of ['route', 'chain', 'lane'] as const) {
          const answer = answersOf(await send(ports[way], bytes), bytes);
          expect({ pass, way, bytes, answer }).toEqual({ pass, way, bytes, answer: expected.get(bytes) });
        }
      });
    }
    const answered = (spy: { mock: { results: { value?: unknown }[] } }) =>
      spy.mock.results.filter(({ value }) => value === true).length;
    expect(answered(lane)).toBeGreaterThan(100);
    expect(answered(route)).toBeGreaterThan(400);
    jest.restoreAllMocks();
  }, 120_000);

  it('most raw requests reach the handler, so that the test can find mixed responses', async () => {
    const received = await Promise.all(requests.map((bytes) => send(ports.uncached, bytes)));
    expect(received.filter((text) => text.startsWith('HTTP/1.1 200')).length).toBeGreaterThan(100);
  });
});
