/** Where the cache says what a person should read: patterns and layer names, never keys or values. */
export type CacheLog = (
  level: 'log' | 'warn' | 'error',
  code: string,
  message: string,
  details?: Readonly<Record<string, unknown>>,
) => void;
