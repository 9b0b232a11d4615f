import type { CatalogueSize } from './database/seed.js';

const ADAPTERS = ['express', 'fastify'] as const;
const REDIS_STORES = ['redis', 'keyv', 'redis-yet'] as const;

export type Adapter = (typeof ADAPTERS)[number];
export type RedisStore = (typeof REDIS_STORES)[number];

/** What a start of the marketplace may choose. */
export interface Settings {
  readonly port: number;
  readonly adapter: Adapter;
  /** A PostgreSQL to use instead of the embedded one. */
  readonly databaseUrl: string | undefined;
  /** Adds Redis as the second layer. */
  readonly redisUrl: string | undefined;
  /** Which client speaks to it. */
  readonly redisStore: RedisStore;
  /** Where alerts are sent; an incoming webhook of Slack is written to in its format. */
  readonly alertsUrl: string | undefined;
  readonly catalogue: CatalogueSize;
}

/**
 * Sets `NODE_ENV` where it is unset or empty: the sample runs on the machine of its reader, so the routes that change something are open.
 */
export function setNodeEnv(environment: NodeJS.ProcessEnv): void {
  environment['NODE_ENV'] ||= 'development';
}

/** Reads the environment; throws one error that names every fault. */
export function readSettings(environment: NodeJS.ProcessEnv): Settings {
  const faults: string[] = [];

  const oneOf = <T extends string>(name: string, allowed: readonly [T, ...T[]]): T => {
    const given = environment[name] || allowed[0];
    const known = allowed.find((value) => value === given);
    if (known === undefined) faults.push(`${name} is ${given}; it may be ${allowed.join(', ')}.`);
    return known ?? allowed[0];
  };
  const integer = (name: string, byDefault: number, least: number, most: number): number => {
    const value = Number(environment[name] || byDefault);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    faults.push(`${name} is ${environment[name]}; it must be a whole number from ${least} to ${most}.`);
    return byDefault;
  };
  const url = (name: string, ...protocols: string[]): string | undefined => {
    const given = environment[name];
    if (!given) return undefined;
    if (URL.canParse(given) && protocols.includes(new URL(given).protocol)) return given;
    faults.push(`${name} is no URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}.`);
    return undefined;
  };

  const settings: Settings = {
    port: integer('PORT', 3000, 0, 65_535),
    adapter: oneOf('ADAPTER', ADAPTERS),
    databaseUrl: url('DATABASE_URL', 'postgres:', 'postgresql:'),
    redisUrl: url('REDIS_URL', 'redis:', 'rediss:'),
    redisStore: oneOf('REDIS_STORE', REDIS_STORES),
    alertsUrl: url('ALERTS_URL', 'http:', 'https:'),
    catalogue: {
      products: integer('CATALOGUE_PRODUCTS', 8_000, 100, 1_000_000),
      sellers: integer('CATALOGUE_SELLERS', 400, 10, 100_000),
    },
  };
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return settings;
}
