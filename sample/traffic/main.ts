import { Browser } from './browser.js';
import { crowd } from './crowd.js';
import { readOptions, USAGE, type Options } from './options.js';
import { showProgress } from './progress.js';
import { felt, told } from './report.js';
import { lookAround } from './surroundings.js';
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
  const { baseUrl, seconds, visitors } = options;
  const browser = new Browser(baseUrl, visitors);
  const ended = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  process.once('SIGINT', () => ended.abort());
  try {
    const around = await lookAround(browser);
    console.log(
      `${visitors} visitors at ${baseUrl.origin} for ${seconds} s, among ${around.products.toLocaleString('en')} products`,
    );
    const tally = new Tally();
    const started = performance.now();
    timer = setTimeout(() => ended.abort(), seconds * 1000);
    const stopProgress = showProgress(tally, seconds);
    try {
      await crowd(options, browser, around, tally, ended.signal);
    } finally {
      stopProgress();
      console.log(`\n${felt(tally, (performance.now() - started) / 1000)}\n`);
    }
    console.log(await told(browser));
  } catch (error) {
    throw connectionRefused(error) ? new Error(closed(baseUrl), { cause: error }) : error;
  } finally {
    clearTimeout(timer);
    browser.close();
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
