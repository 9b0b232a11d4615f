import type { CacheMetrics } from '../metrics/cache-metrics.js';
import type { DeclaringMethod } from '../metrics/judgement.js';
import type { PolicyReport } from '../tuning/policy-tuning.js';
import { snakeCase } from './presenter.js';

/** The report of a policy, and the methods that declare its pattern. */
export interface ShownPolicy extends Omit<PolicyReport, 'varies'> {
  /** Field names as they are sent, in snake_case. */
  readonly varies: readonly string[];
  readonly declaredBy: readonly DeclaringMethod[];
}

export function shownPolicies(reports: readonly PolicyReport[], metrics: CacheMetrics): ShownPolicy[] {
  return reports.map((report) => shownPolicy(report, metrics));
}

export function shownPolicy(report: PolicyReport, metrics: CacheMetrics): ShownPolicy {
  const declaredBy = metrics.declarationOf(report.pattern)?.declaredBy ?? [];
  return { ...report, varies: report.varies.map(snakeCase), declaredBy };
}
