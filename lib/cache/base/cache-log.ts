import type { LogCode } from './log-codes.js';

/**
 * Receives log messages. Messages name patterns and layers, never keys or values. An application receives only texts, numbers and booleans in
 * `details`. Inside this library, `cause` may be any thrown value.
 */
export type CacheLog = (
  level: 'log' | 'warn' | 'error',
  code: LogCode,
  message: string,
  details?: Readonly<Record<string, unknown>>,
) => void;
