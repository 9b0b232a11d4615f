/** How many frames of the caller a sample keeps, nearest to the cache first. */
const FRAMES = 16;

const OWN = new URL('..', import.meta.url).pathname;
/** The frames of the way to a handler are the same for every handler. */
const SKIPPED = [
  'node:',
  OWN,
  '/node_modules/nestjs-cache-observability/',
  '/node_modules/@nestjs/',
  '/node_modules/rxjs/',
];
const FRAME = /^\s*at (?:(async )?(?:new )?(.+?) \()?(?:file:\/\/)?([^()]*?)(?::\d+)?(?::\d+)?\)?$/;

/**
 * Names of the functions that led to here, outermost first, without this library's, Nest's and Node's own. A function without a
 * name is called by its file. Names only: no argument is ever read.
 */
export function callStack(): string[] {
  const holder: { stack?: string } = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES * 2;
  Error.captureStackTrace(holder, callStack);
  Error.stackTraceLimit = limit;
  return namesOf(holder.stack ?? '');
}

/** The names of a printed stack, outermost first. */
export function namesOf(stack: string): string[] {
  const names: string[] = [];
  for (const line of stack.split('\n').slice(1)) {
    const match = FRAME.exec(line);
    if (match === null) continue;
    const file = match[3] ?? '';
    if (SKIPPED.some((own) => file.startsWith(own) || (own.startsWith('/') && file.includes(own)))) continue;
    names.push(frameName(match[2] ?? file.slice(file.lastIndexOf('/') + 1)));
    if (names.length === FRAMES) break;
  }
  return names.reverse();
}

/** A name that cannot be mistaken for the separators of folded stacks. */
export function frameName(text: string): string {
  return text.replace(/[;\s]+/g, '_') || 'anonymous';
}
