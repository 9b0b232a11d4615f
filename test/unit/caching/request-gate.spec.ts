import { describe, expect, it } from '@jest/globals';
import { BypassReason } from '../../../lib/cache/base/observer.js';
import { BypassLog } from '../../../lib/caching/gate/bypass-log.js';
import { WarmingRequests } from '../../../lib/caching/gate/warming-requests.js';
import type { Call } from '../../../lib/caching/inputs/call.js';
import { SafeKeys } from '../../../lib/caching/keys/safe-keys.js';
import { Bypass, type GateRules, RequestGate } from '../../../lib/caching/gate/request-gate.js';

function gate(rules: Partial<GateRules>): RequestGate {
  return new RequestGate({
    cache: { enabled: true, closed: false },
    transport: 'http',
    keys: new SafeKeys({ keyOf: () => 'key' }, 'Feed.all()', () => undefined),
    methods: new Set(['GET']),
    answersAuthorization: false,
    honorRequestDirectives: false,
    warming: new WarmingRequests(),
    bypasses: new BypassLog('Feed.all()', 'feed:*', undefined, () => undefined),
    ...rules,
  });
}

const call = (...args: unknown[]): Call => ({ args, execution: undefined, instance: undefined });
const get = (headers: Record<string, string> = {}) => call({ method: 'GET', headers });

/** Metadata as gRPC provides it: lists by name. */
const metadata = (sent: Record<string, string>) => ({
  get: (name: string) => (sent[name] === undefined ? [] : [sent[name]]),
});

describe('the gate of messages', () => {
  it.each<[string, 'ws' | 'rpc' | 'graphql', Call, Call]>([
    [
      'a socket opened with Authorization',
      'ws',
      call({ handshake: { headers: { authorization: 'Bearer x' } } }, {}),
      call({ handshake: { headers: {} } }, {}),
    ],
    ['metadata of gRPC', 'rpc', call({}, metadata({ authorization: 'Bearer x' })), call({}, metadata({}))],
    [
      'the request of a GraphQL context',
      'graphql',
      call({}, {}, { req: { headers: { authorization: 'Bearer x' } } }),
      call({}, {}, { req: { headers: {} } }),
    ],
  ])('the gate of messages bypasses the cache for Authorization: %s', (_, transport, sent, silent) => {
    expect(gate({ transport }).decide(sent)).toMatchObject({ reason: BypassReason.authorization });
    expect(gate({ transport }).decide(silent)).toBe('key');
    expect(gate({ transport, answersAuthorization: true }).decide(sent)).toBe('key');
  });

  it.each(['ws', 'rpc', 'graphql'] as const)('the gate accepts a message without a request: %s', (transport) => {
    for (const bare of [call(), call(undefined, undefined), call({}, {}, undefined), call('text', 'text', {})])
      expect(gate({ transport }).decide(bare)).toBe('key');
  });
});

describe('the gate of requests', () => {
  it('the gate of requests bypasses a cache that is closing, on every path', () => {
    const closing = gate({ cache: { enabled: true, closed: true } });
    expect(closing.decide(get())).toMatchObject({ xCache: 'BYPASS; reason=disabled' });
    expect(closing.admits({ method: 'GET', headers: {} })).toBe(false);
  });

  it('the gate of requests reports a key that could not be built, and a key that lacks an input, at once or later', async () => {
    const failing = { keyOf: () => Promise.reject(new Error('no')) };
    const keys = new SafeKeys(failing, 'Feed.all()', () => undefined);
    expect(await gate({ keys }).decide(get())).toMatchObject({ xCache: 'BYPASS; reason=key' });
    const lacking = new SafeKeys({ keyOf: () => BypassReason.vary }, 'Feed.all()', () => undefined);
    expect(gate({ keys: lacking }).decide(get())).toMatchObject({ xCache: 'BYPASS; reason=vary' });
  });

  it('the gate of requests returns for Cache-Status why a request was forwarded', () => {
    const statusOf = (rules: Partial<GateRules>, request: Call) => {
      const decision = gate(rules).decide(request);
      return decision instanceof Bypass ? decision.status : decision;
    };
    expect(statusOf({}, get({ authorization: 'x' }))).toBe('fwd=bypass; detail=authorization');
    expect(statusOf({}, call({ method: 'POST', headers: {} }))).toBe('fwd=method');
    expect(statusOf({ honorRequestDirectives: true }, get({ 'cache-control': 'no-store' }))).toBe(
      'fwd=request; detail=no-store',
    );
  });
});
