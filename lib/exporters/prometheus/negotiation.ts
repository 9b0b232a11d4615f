import type { TextFormat } from './text.js';

/** Which format answers a media range; `*` stands for the plainest one. */
const FORMATS: Readonly<Record<string, TextFormat>> = {
  'application/openmetrics-text': 'openmetrics',
  'text/plain': 'prometheus',
  'text/*': 'prometheus',
  '*/*': 'prometheus',
};

/** Versions that are spoken; a range that names another one is passed over. */
const VERSIONS: Readonly<Record<TextFormat, readonly string[]>> = {
  openmetrics: ['1.0.0', '0.0.1'],
  prometheus: ['0.0.4'],
};

/**
 * The format that an `Accept` header prefers, by the weights of RFC 9110 §12.5.1; `prometheus` without one, or where nothing
 * in it is spoken.
 */
export function formatFor(accept: string | undefined): TextFormat {
  let best: TextFormat = 'prometheus';
  let bestWeight = 0;
  for (const range of (accept ?? '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const format = FORMATS[type];
    if (format === undefined) continue;
    const version = parameter(parameters, 'version');
    if (version !== undefined && !VERSIONS[format].includes(version)) continue;
    const weight = Number(parameter(parameters, 'q') ?? 1);
    if (weight > bestWeight) [best, bestWeight] = [format, weight];
  }
  return best;
}

function parameter(parameters: readonly string[], name: string): string | undefined {
  return parameters
    .find((each) => each.startsWith(`${name}=`))
    ?.slice(name.length + 1)
    .replace(/^"(.*)"$/, '$1');
}
