import { CODES, SECTIONS } from '../../lib/code-catalogue.js';
import { CODES as ALERTS } from '../../lib/insight/alerts/alert.js';

const WIDTH = 150;

const HEAD = `# Errors and log codes

${'<!-- Written by `npm run docs:codes` from lib/code-catalogue.ts. -->'}

${paragraph('Every error, log line, warning and recommendation of this library has a code. Codes are stable: search for them, alert on them. Messages may change.')}

${[
  'Errors** are instances of `CacheError` with a `code`. Faults at boot are collected: one error lists all of them.',
  "Log lines** go through Nest's `Logger` with the context `CacheObservability`. Each has a `code`, a `message` and, where it concerns one thing, a `subject` (a layer or a key pattern). A line that would repeat is written once, until the fault has ended.",
  'Routes** answer `{ "statusCode", "code", "message" }`.',
  'Without a code**: `TypeError: Cannot assign to read only property` comes from [code that changes a cached value](../values.md#typeerror-cannot-assign-to-read-only-property).',
]
  .map((text) => item(`**${text}`))
  .join('\n')}
${item('Messages hold patterns, never keys or values. The cause of an error is kept with its class, code and place only.')}
`;

/** The reference of error and log codes that the catalogue generates: the text of `docs/reference/errors.md`. */
export function errorReference(): string {
  const codes = Object.entries(CODES);
  const sections = SECTIONS.map((section) => {
    const text = 'text' in section ? `\n${paragraph(section.text)}\n` : '';
    const entries = codes.filter(([, { section: title }]) => title === section.title);
    const explained = entries.map(
      ([code, { meaning, cause, remedy }]) =>
        `\n### \`${code}\`\n\n${paragraph(meaning)}\n\n${severity(code)}${item(`**Cause**: ${cause}`)}\n${item(`**Remedy**: ${remedy}`)}\n`,
    );
    return `\n## ${section.title}\n${text}${explained.join('')}`;
  });
  return HEAD + sections.join('');
}

/** Of a code that can be an alert, as the alerts have it. */
function severity(code: string): string {
  const alert = Object.entries(ALERTS).find(([name]) => name === code);
  return alert === undefined ? '' : `${item(`**Severity**: ${alert[1].severity}.`)}\n`;
}

function item(text: string): string {
  return paragraph(text, 2).replace(/^ {2}/, '- ');
}

/** Breaks lines at spaces outside code and links. */
function paragraph(text: string, indent = 0): string {
  const lines: string[] = [];
  let line = '';
  for (const [word] of text.matchAll(/(?:`[^`]*`|\[[^\]]*\]\([^)]*\)|[^\s`[]|\[)+/g)) {
    if (line !== '' && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => ' '.repeat(indent) + each).join('\n');
}
