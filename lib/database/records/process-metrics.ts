import { oneInProcess } from '../../cache/one-in-process.js';
import { DatabaseMetrics } from './database-metrics.js';

/**
 * The figures of this process' databases: where `observePool` and `observeQueries` count unless their options name another,
 * and what the module provides as `DatabaseMetrics`. A pool belongs to the process and is often made before any module.
 */
export const databaseMetrics: DatabaseMetrics = oneInProcess('databaseMetrics', () => new DatabaseMetrics());
