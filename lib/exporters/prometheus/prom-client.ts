import type * as PromClient from 'prom-client';
import { isNotInstalled } from '../../cache/own-file.js';

/** Token of the prom-client that the application's PrometheusModule uses; null without that module. */
export const PROM_CLIENT = Symbol.for('nestjs-cache-observability:prom-client');

/** The application's prom-client; null if it is not installed. */
export async function promClient(): Promise<typeof PromClient | null> {
  try {
    // A copy: a namespace has no constructor, but @nestjs/graphql reads the constructor of every provider.
    return { ...(await import('prom-client')) };
  } catch (error) {
    if (isNotInstalled(error)) return null;
    throw error;
  }
}
