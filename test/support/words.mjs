// Refuses words that the project does not use, in names and prose; `npm run lint` runs it. The list is short on
// purpose; each word has its replacement.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const refused = [
  [/\btold\b/i, 'record, report, return, log or detect'],
  [/\bnobody['’]s\b/i, 'name who it belongs to, or "ignored"'],
  [/\bwhoever\b/i, 'name who'],
  [/\bwhom\b/i, 'name who'],
  [/\berrands?\b/i, 'load request'],
  [/\bdepartures?\b/i, 'start of a load'],
  [/\blanded\b/i, 'returned'],
  [/\baboard\b/i, 'joined'],
  [/\bplan ?book\b/i, 'policy cache'],
  [/\bdear(er)?\b/i, 'expensive, slow, costs more'],
  [/\bturned away\b/i, 'refused, over the limit'],
  [
    /\bis no (?:duration|hit|miss|key|glob|tag|number|text|function|layer|strategy|window)\b/,
    'invalid, unknown, missing',
  ],
];

const files = execFileSync(
  'git',
  ['ls-files', 'lib', 'test', 'bench', 'sample', 'docs', 'README.md', 'CHANGELOG.md', 'CONTRIBUTING.md'],
  { encoding: 'utf8' },
)
  .split('\n')
  .filter((file) => /\.(ts|tsx|mjs|cjs|md|css|html)$/.test(file) && !file.endsWith('words.mjs'));

let found = 0;
for (const file of files) {
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((line, index) => {
      // A name consists of words too: PolicyCache, toldError.
      const text = `${line} ${line.replace(/([a-z0-9])([A-Z])/g, '$1 $2')}`;
      for (const [word, instead] of refused) {
        const match = word.exec(text);
        if (match === null) continue;
        found++;
        console.error(`${file}:${index + 1}: "${match[0].trim()}". Write: ${instead}.`);
      }
    });
}
if (found > 0) {
  console.error(`${found} refused words.`);
  process.exit(1);
}
