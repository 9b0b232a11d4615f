import type * as PromClient from 'prom-client';
import { registryOpenMetrics } from './registry-text.js';
import type { TextFormat } from './text.js';

/** One registry per copy of prom-client: all applications of a process have the same process metrics, and collecting them cannot be stopped. */
const registries = new WeakMap<typeof PromClient.Registry, PromClient.Registry>();

/**
 * Node's own metrics as prom-client measures them, in a separate registry. An application may call `collectDefaultMetrics()` itself, earlier
 * or later. Metrics that are in the application's registry are left out here.
 */
export class ProcessMetrics {
  readonly #client: typeof PromClient;
  readonly #registry: PromClient.Registry;

  constructor(client: typeof PromClient) {
    this.#client = client;
    const known = registries.get(client.Registry);
    this.#registry = known ?? new client.Registry();
    if (known !== undefined) return;
    client.collectDefaultMetrics({ register: this.#registry });
    registries.set(client.Registry, this.#registry);
  }

  /** Returns the exposition without a closing line. */
  async text(format: TextFormat): Promise<string> {
    const missing = (name: string): boolean => this.#client.register.getSingleMetric(name) === undefined;
    if (format === 'openmetrics') {
      return registryOpenMetrics({
        getMetricsAsJSON: async () => (await this.#registry.getMetricsAsJSON()).filter(({ name }) => missing(name)),
      });
    }
    const names = this.#registry.getMetricsAsArray().map(({ name }) => name);
    const texts = names.filter(missing).map((name) => this.#registry.getSingleMetricAsString(name));
    return (await Promise.all(texts)).join('\n');
  }
}
