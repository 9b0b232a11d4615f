import type { LogCode } from './log-codes.js';

/**
 * Takes what a person should read: patterns and layer names, never keys or values. `details` are texts, numbers and booleans
 * where an application is given them; inside this library `cause` may be what was thrown.
 */
export type CacheLog = (
  level: 'log' | 'warn' | 'error',
  code: LogCode,
  message: string,
  details?: Readonly<Record<string, unknown>>,
) => void;
