import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownFile } from '../cache/own-file.js';

/** How many frames of the caller a sample keeps: those nearest to the cache. */
const FRAMES = 16;

const NAME = 'nestjs-cache-observability';
/** Parts of file names whose frames are skipped: Node, Nest, RxJS and this library. */
const SKIPPED = ['node:', `/node_modules/${NAME}/`, '/node_modules/@nestjs/', '/node_modules/rxjs/'];
const FRAME = /^\s*at (?:(async )?(?:new )?(.+?) \()?(?:file:\/\/)?([^()]*?)(?::\d+)?(?::\d+)?\)?$/;

/**
 * Returns the names of the calling functions, outermost first, without the frames of this library, Nest, RxJS and Node. A
 * function without a name is named after its file. Arguments are never read.
 */
export function callStack(): string[] {
  const holder: { stack?: string } = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES * 2;
  Error.captureStackTrace(holder, callStack);
  Error.stackTraceLimit = limit;
  return namesOf(holder.stack ?? '');
}

/** Returns the names in the text of a stack, outermost first. */
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
 * Returns the directory of this library's code from the name of one of its files. Undefined in an application's bundle, where
 * this library's code cannot be distinguished from the application's.
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
