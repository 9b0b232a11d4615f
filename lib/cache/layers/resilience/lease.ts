import type { Clock } from '../../base/clock.js';
import type { Lease } from '../layer.js';

/**
 * Renews a lease until it is released. If the lease is lost, the work continues, and another process may do the same work.
 * @returns a function that releases the lease. Do not await the release: an unreleased lease expires.
 */
export function holdLease(lease: Lease, leaseMs: number, clock: Clock): () => void {
  let held = true;
  let cancel: () => void;
  const renewLater = () =>
    clock.after(leaseMs / 3, () => {
      lease.renew(leaseMs).then(
        (renewed) => {
          if (renewed && held) cancel = renewLater();
        },
        () => {
          if (held) cancel = renewLater();
        },
      );
    });
  cancel = renewLater();
  return () => {
    held = false;
    cancel();
    giveBack(lease);
  };
}

/** Releases a lease that is granted after its caller stopped waiting, because it would make others wait until it expires. */
export function giveBackLate(acquiring: Promise<Lease | undefined>): void {
  acquiring.then(
    (lease) => {
      if (lease !== undefined) giveBack(lease);
    },
    () => undefined,
  );
}

function giveBack(lease: Lease): void {
  lease.release().catch(() => undefined);
}
