import type { MetricFamily } from '../../metrics/family.js';
import type { DottedName } from '../metric-names.js';

const ATTRIBUTES: Readonly<Record<string, string>> = {
  operation: 'cache.operation',
  result: 'cache.result',
  layer: 'cache.layer',
  pattern: 'cache.key.pattern',
  method: 'http.request.method',
  route: 'http.route',
  window: 'cache.window',
  strategy: 'cache.warming.strategy',
  to: 'cache.circuit.state',
  pool: 'db.client.connection.pool.name',
  query_type: 'db.operation.name',
  table: 'db.collection.name',
};

const OF_DATABASES: Readonly<Record<string, string>> = { state: 'db.client.connection.state' };
const OF_CACHES: Readonly<Record<string, string>> = { state: 'cache.circuit.state' };

/** Database labels for which the semantic conventions leave the attribute out. */
const SAID_BY_ABSENCE: ReadonlySet<string> = new Set(['table=__none__', 'result=ok']);

/** Returns the attributes of a point, under the names of the semantic conventions if they define one. */
export function attributesOf(
  family: MetricFamily,
  dotted: DottedName,
  values: readonly string[],
): Record<string, string> {
  const ofDatabase = family.name.startsWith('db_');
  const attributes: Record<string, string> = {};
  const add = (label: string, value: string): void => {
    if (ofDatabase && SAID_BY_ABSENCE.has(`${label}=${value}`)) return;
    // The only result of a query other than ok is an error, whose kind is unknown.
    if (ofDatabase && label === 'result') attributes['error.type'] = '_OTHER';
    else attributes[nameOf(label, ofDatabase)] = value;
  };
  family.labelNames.forEach((label, at) => add(label, values[at] ?? ''));
  if (dotted.implied !== undefined) add(...dotted.implied);
  return attributes;
}

function nameOf(label: string, ofDatabase: boolean): string {
  const own = ofDatabase ? OF_DATABASES : OF_CACHES;
  if (Object.hasOwn(own, label)) return own[label]!;
  return Object.hasOwn(ATTRIBUTES, label) ? ATTRIBUTES[label]! : `cache.${label}`;
}
