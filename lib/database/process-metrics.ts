import { DatabaseMetrics } from './database-metrics.js';

/**
 * The figures of this process' databases: where `observePool` and `observeQueries` count unless they are told otherwise,
 * and what the module provides as `DatabaseMetrics`. A pool belongs to the process and is often made before any module.
 */
export const databaseMetrics = new DatabaseMetrics();
