import { escapeHelp, escapeLabel, numeral } from './escaping.js';

/** One metric, as prom-client and its successor return it. */
interface RegisteredMetric {
  readonly name: string;
  readonly help: string;
  readonly type: unknown;
  readonly values?: readonly RegisteredValue[];
}

interface RegisteredValue {
  readonly value: number;
  readonly metricName?: string;
  readonly labels?: Readonly<Record<string, unknown>>;
  readonly sharedLabels?: Readonly<Record<string, unknown>>;
  readonly exemplar?: {
    readonly labelSet?: Readonly<Record<string, unknown>>;
    readonly value: number;
    readonly timestamp?: number;
  } | null;
}

/** The part of a registry that is read. */
export interface ReadableRegistry {
  getMetricsAsJSON(): Promise<unknown>;
}

/**
 * Renders prom-client's registry as OpenMetrics, without the closing line. The registry's own method is not used, because it renames
 * counters permanently: its classic text lacks their `_total` afterwards. A counter whose name does not end in `_total` keeps its name and
 * gets the type unknown.
 */
export async function registryOpenMetrics(registry: ReadableRegistry): Promise<string> {
  const metrics = (await registry.getMetricsAsJSON()) as readonly RegisteredMetric[];
  return metrics.map(familyText).join('');
}

function familyText({ name, help, type, values = [] }: RegisteredMetric): string {
  if (values.length === 0) return '';
  const counted = type === 'counter' && name.endsWith('_total');
  const family = counted ? name.slice(0, -'_total'.length) : name;
  const shownType = counted ? 'counter' : type === 'counter' || typeof type !== 'string' ? 'unknown' : type;
  const lines = values.map(({ metricName = name, labels = {}, sharedLabels = {}, value, exemplar }) => {
    const behind =
      exemplar === undefined || exemplar === null
        ? ''
        : ` # ${braces(exemplar.labelSet ?? {}) || '{}'} ${numeral(exemplar.value)}${exemplar.timestamp === undefined ? '' : ` ${exemplar.timestamp}`}`;
    return `${metricName}${braces({ ...sharedLabels, ...labels })} ${numeral(value)}${behind}\n`;
  });
  return `# HELP ${family} ${escapeHelp(help, true)}\n# TYPE ${family} ${shownType}\n${lines.join('')}`;
}

function braces(labels: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(String(value))}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}
