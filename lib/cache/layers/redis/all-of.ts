/** Waits for all, then rejects with the first failure, so that none goes unheard. */
export async function allOf(operations: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(operations)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}
