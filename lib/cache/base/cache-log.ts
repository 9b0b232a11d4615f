import type { LogCode } from './log-codes.js';

/**
 * Receives messages for people: patterns and layer names, never keys or values. An application gets texts, numbers and booleans as
 * `details`; inside this library, `cause` may be any thrown value.
 */
export type CacheLog = (
  level: 'log' | 'warn' | 'error',
  code: LogCode,
  message: string,
  details?: Readonly<Record<string, unknown>>,
) => void;
