import type { Clock } from '../../base/clock.js';
import type { Lease } from '../layer.js';

/**
 * Renews a lease until it is released. One that was lost is no reason to stop what it is held for: at worst it is done twice.
 * @returns how to release it. Nobody waits for that: a lease that is not given back ends by itself.
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

/** A lease that is granted after its caller has gone would keep the others waiting until it ends. */
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
