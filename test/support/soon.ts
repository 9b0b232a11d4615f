const AGAIN_MS = 50;

/**
 * Repeats assertions until they hold, for a browser or a server that needs time; after the limit it throws the last
 * failure.
 */
export async function soon(assertions: () => unknown, withinMs = 20_000): Promise<void> {
  const until = performance.now() + withinMs;
  for (;;) {
    try {
      return void (await assertions());
    } catch (error) {
      if (performance.now() > until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}
