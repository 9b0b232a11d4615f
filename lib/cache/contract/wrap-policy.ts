import type { WrapOptions } from './cache-contract.js';
import type { Duration } from '../base/duration.js';
import type { PolicySource } from '../policies/resolved-policy.js';

/** Reads the three forms of `wrap`: a TTL, a TTL and a threshold, or an object with both and `raw`. */
export function wrapPolicy<T>(
  ttlOrOptions: Duration | ((value: T) => Duration) | WrapOptions<T> | undefined,
  threshold: number | ((value: T) => number) | undefined,
): { policy: PolicySource<T>; raw: boolean } {
  const options: WrapOptions<T> =
    typeof ttlOrOptions === 'object' && ttlOrOptions !== null
      ? ttlOrOptions
      : {
          ...(ttlOrOptions !== undefined && { ttl: ttlOrOptions }),
          ...(threshold !== undefined && { refreshThreshold: threshold }),
        };
  const { raw = false, ...policy } = options;
  return { policy, raw };
}
