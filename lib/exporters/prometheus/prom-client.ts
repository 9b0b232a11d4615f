import type * as PromClient from 'prom-client';
import { isNotInstalled } from '../../cache/own-file.js';

/** Token of the prom-client that the application's PrometheusModule uses; null without that module. */
export const PROM_CLIENT = Symbol.for('nestjs-cache-observability:prom-client');

/** Loads the application's prom-client. Returns null if it is not installed. */
export async function promClient(): Promise<typeof PromClient | null> {
  try {
    // Return a copy: @nestjs/graphql reads the constructor of every provider, and a module namespace has none.
    return { ...(await import('prom-client')) };
  } catch (error) {
    if (isNotInstalled(error)) return null;
    throw error;
  }
}
