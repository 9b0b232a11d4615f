import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownFile } from '../cache/own-file.js';

/** How many frames of the caller a sample keeps, nearest to the cache first. */
const FRAMES = 16;

const NAME = 'nestjs-cache-observability';
/** Frames that lead to every handler. */
const SKIPPED = ['node:', `/node_modules/${NAME}/`, '/node_modules/@nestjs/', '/node_modules/rxjs/'];
const FRAME = /^\s*at (?:(async )?(?:new )?(.+?) \()?(?:file:\/\/)?([^()]*?)(?::\d+)?(?::\d+)?\)?$/;

/**
 * Names of the functions that led here, outermost first, without the frames of this library, Nest and Node. A function without a
 * name is named after its file. Names only: no argument is ever read.
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
    if (isOwn(file)) continue;
    names.push(frameName(match[2] ?? file.slice(file.lastIndexOf('/') + 1)));
    if (names.length === FRAMES) break;
  }
  return names.reverse();
}

/** Replaces the separators of folded stacks in a name. */
export function frameName(text: string): string {
  return text.replace(/[;\s]+/g, '_') || 'anonymous';
}

let own: { readonly directory: string | undefined } | undefined;

function isOwn(file: string): boolean {
  own ??= { directory: directoryOfCode(ownFile()) };
  return own.directory !== undefined && file.startsWith(own.directory);
}

/**
 * The directory of this library's code, from the name of one of its files. Undefined in an application's bundle: there nothing separates
 * this library's code from the application's.
 */
export function directoryOfCode(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  const path = file.startsWith('file:') ? fileURLToPath(file) : file;
  for (let at = dirname(path); at !== dirname(at); at = dirname(at)) {
    const description = join(at, 'package.json');
    if (!existsSync(description)) continue;
    const name = nameIn(description);
    if (name === NAME) return join(at, relative(at, path).split(sep)[0]!) + sep;
    if (name !== undefined) return undefined;
  }
  return undefined;
}

function nameIn(description: string): unknown {
  try {
    return (JSON.parse(readFileSync(description, 'utf8')) as { name?: unknown }).name;
  } catch {
    return undefined;
  }
}
