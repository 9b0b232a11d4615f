/** Escapes a label's value for the quotes of both text formats. */
export function escapeLabel(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}

/** Escapes a help text. @param quotes true escapes double quotes too, as OpenMetrics requires. */
export function escapeHelp(text: string, quotes: boolean): string {
  const escaped = text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  return quotes ? escaped.replace(/"/g, '\\"') : escaped;
}

/** Formats a sample's value. */
export function numeral(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return String(value);
}

/** Formats the labels of a sample to follow its name. @param labels `name="value"` each. */
export function braced(labels: readonly string[]): string {
  return labels.length === 0 ? '' : `{${labels.join(',')}}`;
}
