import {
  either,
  integer,
  isRecord,
  listOf,
  number,
  recordOf,
  type Report,
  type Rule,
  secret,
  shape,
  text,
} from '../../options/option-rules.js';
import { shown } from '../../base/shown.js';
import { redactedUrl } from '../../base/redacted-error.js';
import { remoteFields } from '../resilience/remote-layer-rules.js';
import type { RedisLayerOptions } from './redis-options.js';

/** `redis://[user:password@]host[:port][/database]`. */
const url: Rule = (value, path, report) => {
  const fault = typeof value === 'string' ? urlFault(value) : 'is not a text';
  if (fault !== undefined) report(`${path}: ${shown(value)} ${fault}. Use redis:// or rediss://, as in ${EXAMPLE}`);
};

const EXAMPLE = "'redis://localhost:6379'";

function urlFault(value: string): string | undefined {
  if (value.trim() === '') return 'is empty';
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value)?.[1];
  if (scheme === undefined) return 'has no scheme';
  if (!/^rediss?$/i.test(scheme)) return `has the scheme ${scheme}://`;
  if (!URL.canParse(value)) return 'is not a URL';
  const { hostname, pathname } = new URL(value);
  if (hostname === '') return 'names no host';
  return /^(\/\d*)?$/.test(pathname) ? undefined : 'has a path that is not the number of a database';
}

const port = integer(1, 65_535);

const connection = shape({
  username: secret,
  password: secret,
  database: integer(0),
  connectTimeout: number(1),
  tls: either([isRecord, () => undefined], [() => true, flagOrObject]),
});

function flagOrObject(value: unknown, path: string, report: Report): void {
  if (typeof value !== 'boolean')
    report(`${path}: must be true, false or options of tls.connect(), not ${shown(value)}`);
}

const nodes =
  (rule: Rule): Rule =>
  (value, path, report) => {
    listOf(rule)(value, path, report);
    if (Array.isArray(value) && value.length === 0) report(`${path}: must not be empty`);
  };

const client: Rule = (value, path, report) => {
  const made = value as Record<string, unknown> | null;
  const known =
    (typeof value === 'object' || typeof value === 'function') &&
    made !== null &&
    ['sendCommand', 'createBuiltinCommand'].some((method) => typeof made[method] === 'function');
  if (!known) report(`${path}: must be a client of 'redis', '@redis/client' or 'ioredis', not ${shown(value)}`);
};

const fields = shape({
  ...remoteFields,
  url,
  connection,
  sentinel: shape({ name: text, rootNodes: nodes(shape({ host: text, port }, ['host', 'port'])), connection }, [
    'name',
    'rootNodes',
  ]),
  cluster: shape(
    {
      rootNodes: nodes(shape({ url }, ['url'])),
      nodeAddressMap: recordOf(shape({ host: text, port }, ['host', 'port'])),
    },
    ['rootNodes'],
  ),
  client,
});

/** The options that say how to reach Redis; one at most is given. */
const WAYS = ['url', 'sentinel', 'cluster', 'client'] as const;

/** The rule of the options of `redisLayer()`. */
export const redisLayerRule: Rule = (value, path, report) => {
  fields(value, path, report);
  if (!isRecord(value)) return;
  const given = WAYS.filter((way) => value[way] !== undefined);
  if (given.length > 1) report(`${path}: ${given.join(' and ')} are both given. Give one of them`);
  // The most common cause is an environment variable that is not set.
  const unset = WAYS.find((way) => given.length === 0 && way in value);
  if (unset === undefined) return;
  report(`${path}.${unset}: is undefined. Set it, or leave it out for ${EXAMPLE}`);
};

/** The location of a layer's Redis, as logs may show it. */
export function redisAddress(options: RedisLayerOptions): string {
  const { url: address, sentinel, cluster, client: own } = isRecord(options) ? options : {};
  if (own !== undefined) return "the application's own client";
  if (isRecord(sentinel)) return `${String(sentinel['name'])} of Sentinel ${hosts(sentinel['rootNodes'])}`;
  if (isRecord(cluster)) return `a cluster of ${hosts(cluster['rootNodes'])}`;
  return typeof address === 'string' ? redactedUrl(address) : 'redis://localhost:6379';
}

function hosts(list: unknown): string {
  const all: unknown[] = Array.isArray(list) ? list : [];
  return all
    .map((node) => (isRecord(node) ? node : {}))
    .map(({ url: address, host, port: at }) =>
      typeof address === 'string' ? redactedUrl(address) : `${String(host)}:${String(at)}`,
    )
    .join(', ');
}
