import { oneInProcess } from '../../cache/one-in-process.js';
import { DatabaseMetrics } from './database-metrics.js';

/**
 * The statistics of this process's databases. `observePool` and `observeQueries` count here unless their options name other
 * metrics, and the module provides this object as `DatabaseMetrics`. It belongs to the process, because a pool is often created
 * before any module.
 */
export const databaseMetrics: DatabaseMetrics = oneInProcess('databaseMetrics', () => new DatabaseMetrics());
