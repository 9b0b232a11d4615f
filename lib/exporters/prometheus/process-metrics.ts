import type * as PromClient from 'prom-client';
import { registryOpenMetrics } from './registry-text.js';
import type { TextFormat } from './text.js';

/** By prom-client's class: process metrics are the same for all applications of a process, and cannot be stopped again. */
const registries = new WeakMap<typeof PromClient.Registry, PromClient.Registry>();

/**
 * Node's own metrics as prom-client measures them, in a separate registry: an application may call
 * `collectDefaultMetrics()` itself, before or after, and metrics that its registry has are left out here.
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

  /** The exposition, without a closing line. */
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
