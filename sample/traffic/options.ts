import { parseArgs } from 'node:util';

/** How the traffic is driven. */
export interface Options {
  readonly baseUrl: URL;
  readonly seconds: number;
  readonly visitors: number;
  /** Mean pause of a visitor between two requests, milliseconds. */
  readonly think: number;
  /** The same seed draws the same visitors. */
  readonly seed: number;
  /** Follow the advice of the end, and drive the same traffic again. */
  readonly apply: boolean;
}

export const USAGE = `npm run traffic -- [options]

  --seconds <n>    how long                                            20
  --minutes <n>    how long, in minutes, instead of --seconds
  --apply          follow the advice of the end, drive the same traffic
                   again, and show predicted beside realised
  --visitors <n>   how many at the same time                           50
  --think <ms>     mean pause of a visitor between two requests       150
  --seed <n>       the same seed draws the same visitors                1

  BASE_URL         where the marketplace is      http://localhost:3000`;

/** Undefined where help was asked for; throws an error that names the fault. */
export function readOptions(words: readonly string[], environment: NodeJS.ProcessEnv): Options | undefined {
  const { values } = parseArgs({
    args: [...words],
    options: {
      seconds: { type: 'string', default: '20' },
      minutes: { type: 'string' },
      apply: { type: 'boolean', default: false },
      visitors: { type: 'string', default: '50' },
      think: { type: 'string', default: '150' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    baseUrl: baseUrl(environment['BASE_URL'] || 'http://localhost:3000'),
    seconds:
      values.minutes === undefined
        ? numberOf('--seconds', values.seconds, 1, 86_400)
        : numberOf('--minutes', values.minutes, 1, 1_440) * 60,
    visitors: numberOf('--visitors', values.visitors, 1, 10_000),
    think: numberOf('--think', values.think, 0, 60_000),
    seed: numberOf('--seed', values.seed, 0, 2 ** 32 - 1),
    apply: values.apply,
  };
}

function numberOf(option: string, given: string, least: number, most: number): number {
  const value = Number(given);
  if (given !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`${option} is ${given || 'empty'}; it must be a whole number from ${least} to ${most}.`);
}

function baseUrl(given: string): URL {
  if (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)) return new URL(given);
  throw new Error(`BASE_URL is ${given}; it must be a URL such as http://localhost:3000.`);
}
