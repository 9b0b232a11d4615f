import { labelled, plain } from './format';
import type { DeclaringMethod } from './wire';

/*
 * Writes the text that the button Copy copies. It can be read without the page, in an issue or by the person who changes the
 * code: the title, the evidence, the exact change, and where the code is.
 */

type Figures = Readonly<Record<string, unknown>>;

export interface Issue {
  readonly title: string;
  /** What the figures show. */
  readonly why?: string;
  readonly about?: { readonly pattern?: string | undefined; readonly layer?: string | undefined };
  /** Values by their names in JSON, or texts by labels. */
  readonly evidence?: Figures;
  readonly change?: { readonly option: string; readonly from: unknown; readonly to: unknown; readonly code: string };
  /** Predicted values with their labels. */
  readonly predicted?: readonly (readonly [label: string, text: string])[];
  readonly declaredBy?: readonly DeclaringMethod[] | undefined;
  readonly since?: string | undefined;
  readonly until?: string | null | undefined;
}

export function issueText(issue: Issue): string {
  const { title, why, about = {}, evidence = {}, change, predicted = [], since, until } = issue;
  const parts = [
    [`# ${title}`],
    why ? [why] : [],
    [
      about.pattern ? `Pattern: ${about.pattern}` : '',
      about.layer ? `Layer: ${about.layer}` : '',
      since ? `Since: ${since}` : '',
      until ? `Until: ${until}` : '',
    ],
    list(
      '## Evidence',
      Object.entries(evidence).map((field) => labelled(...field)),
    ),
    change
      ? ['## Change', `${change.option}: ${shown(change.from)} → ${shown(change.to)}`, '', ...code(change.code)]
      : [],
    list('## Predicted', predicted),
    ['## Where', ...whereOf(issue)],
    [`Dashboard: ${location.href}`],
  ];
  return parts
    .map((lines) =>
      lines
        .filter((line, at) => line !== '' || at > 0)
        .join('\n')
        .trim(),
    )
    .filter((text) => text !== '')
    .join('\n\n');
}

function whereOf({ about = {}, declaredBy = [] }: Issue): string[] {
  if (declaredBy.length > 0) return declaredBy.map((one) => `- ${placeOf(one)}`);
  if (about.layer) return [`The layer ${about.layer} in the options of CacheObservabilityModule.`];
  if (about.pattern) return [`No handler declares ${about.pattern}: search the code for calls with keys of this form.`];
  return ['The options of CacheObservabilityModule.'];
}

/** `FeedController.discover(), GET /feeds/discover` */
export const placeOf = ({ class: name, method, endpoint }: DeclaringMethod): string =>
  `${name}.${method}()${endpoint === null ? '' : `, ${endpoint}`}`;

const shown = (value: unknown): string => (value === null ? 'not set' : plain(value));
const code = (text: string): string[] => ['```ts', text, '```'];
const list = (heading: string, rows: readonly (readonly [string, string])[]): string[] =>
  rows.length === 0 ? [] : [heading, ...rows.map(([label, text]) => `- ${label}: ${text}`)];
