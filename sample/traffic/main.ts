import { adviceLines, advised, countsNow, effectLines, follow } from './advice.js';
import { Browser } from './browser.js';
import { crowd } from './crowd.js';
import { readOptions, USAGE, type Options } from './options.js';
import { showProgress } from './progress.js';
import { felt, summary } from './report.js';
import { readChoices, type Choices } from './choices.js';
import { Tally } from './tally.js';

try {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === undefined) console.log(USAGE);
  else await drive(options);
} catch (error) {
  console.error(reason(error));
  process.exitCode = 1;
}

async function drive(options: Options): Promise<void> {
  const { baseUrl, seconds, visitors, apply } = options;
  const browser = new Browser(baseUrl, visitors);
  const ended = new AbortController();
  process.once('SIGINT', () => ended.abort());
  try {
    const choices = await readChoices(browser);
    console.log(
      `${visitors} visitors at ${baseUrl.origin} for ${seconds} s, among ${choices.products.toLocaleString('en')} products`,
    );
    await visit(options, browser, choices, ended.signal);
    console.log(await summary(browser));
    const advice = await advised(browser);
    console.log(`\n${adviceLines(advice)}`);
    if (!apply || ended.signal.aborted) return;
    const followed = await follow(browser, advice, choices.followed);
    const before = await countsNow(browser);
    console.log(
      `\nThe advice is followed: ${followed.map(({ how }) => how).join(', ') || 'none'}. The same traffic again:`,
    );
    await visit(options, browser, choices, ended.signal);
    console.log(effectLines(followed, before, await countsNow(browser)));
  } catch (error) {
    throw connectionRefused(error) ? new Error(closed(baseUrl), { cause: error }) : error;
  } finally {
    browser.close();
  }
}

/** Sends the visitors in until the time is over, and shows what they felt. */
async function visit(options: Options, browser: Browser, choices: Choices, signal: AbortSignal): Promise<void> {
  const tally = new Tally();
  const started = performance.now();
  const stopProgress = showProgress(tally, options.seconds);
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), options.seconds * 1000);
  try {
    await crowd(options, browser, choices, tally, AbortSignal.any([signal, over.signal]));
  } finally {
    clearTimeout(timer);
    stopProgress();
    console.log(`\n${felt(tally, (performance.now() - started) / 1000)}\n`);
  }
}

function closed(url: URL): string {
  return (
    `Nothing answers at ${url.origin}. Open the marketplace first, in another terminal: npm start\n` +
    'Where it is open elsewhere, say so: BASE_URL=http://localhost:3001 npm run traffic'
  );
}

function connectionRefused(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(connectionRefused);
  return error instanceof Error && 'code' in error && ['ECONNREFUSED', 'ENOTFOUND'].includes(String(error.code));
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) return `${error.message}\n\n${USAGE}`;
  return error.message;
}
