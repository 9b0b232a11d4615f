import { oneInProcess } from '../../cache/one-in-process.js';
import { DatabaseMetrics } from './database-metrics.js';

/**
 * The figures of this process's databases: `observePool` and `observeQueries` count here unless their options name other metrics,
 * and the module provides it as `DatabaseMetrics`. A pool belongs to the process and is often created before any module.
 */
export const databaseMetrics: DatabaseMetrics = oneInProcess('databaseMetrics', () => new DatabaseMetrics());
