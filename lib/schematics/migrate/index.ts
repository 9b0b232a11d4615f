import type { CallExpression, HeritageClause, Node } from 'typescript';
import { edited, importing } from '../edits.js';
import { keepFormat } from '../formatting.js';
import { addPackages } from '../packages.js';
import { projectOf, rootModuleOf } from '../project.js';
import { type SchematicContext, sourcesOf, textOf, type Tree } from '../tree.js';
import { loadTypeScript, type TypeScript } from '../typescript.js';
import { isGlobal, registrations, rewriteRegistration } from './cache-module.js';
import { FileChange, type Finding } from './findings.js';
import { noteHandlers, rewriteHandlers } from './handlers.js';
import { namesFrom, withoutUnused } from './imported-names.js';

/** The options of `nest generate -c nestjs-cache-observability migrate`. */
export interface MigrateOptions {
  /**
   * The application in a monorepo. Other projects are rewritten with it. @default the application that nest-cli.json names as
   * root
   */
  readonly project?: string;
  /** True to install no packages. @default false */
  readonly skipInstall?: boolean;
}

const OLD = '@nestjs/cache-manager';
const NEW = 'nestjs-cache-observability';
/** Packages whose imports may be unused after the rewrite. */
const FORMER = [OLD, '@nestjs/common', '@keyv/redis', 'keyv', 'cacheable'];
const TEST_FILE = /[.-](?:spec|test)\.[cm]?[jt]sx?$|(?:^|\/)(?:tests?|__tests__|e2e)\//;

/**
 * Migrates an application from `@nestjs/cache-manager`. It rewrites the registration of `CacheModule`, and handlers with
 *   `CacheInterceptor`, `@CacheKey` and `@CacheTTL`. Code that cannot be rewritten safely stays as it is, with the reason in a
 *   comment. `CACHE_MANAGER` and `Cache` still work. It logs a report. A second run changes nothing.
 */
export function migrate(options: MigrateOptions): (tree: Tree, context: SchematicContext) => Promise<void> {
  return (tree, context) => {
    const ts = loadTypeScript();
    const files = filesWith(ts, tree, (text) => text.includes(OLD));
    const root = rootPathOf(ts, tree, options);
    rewriteModules(files, root);
    const global = files.filter(({ text }) => /useClass\s*:\s*CacheInterceptor\b/.test(text));
    for (const file of files) {
      if (global.length === 0) rewriteHandlers(file, oldNames(file));
      else noteHandlers(file, oldNames(file));
      leaveSubclasses(file, oldNames(file).interceptor);
      noteUses(file, global.includes(file));
    }
    // A global interceptor also caches handlers in files that do not mention the cache.
    const others =
      global.length === 0 ? [] : filesWith(ts, tree, (text) => !text.includes(OLD) && text.includes('@Controller('));
    for (const file of others) noteHandlers(file, oldNames(file));
    for (const file of files) write(tree, file);
    if (files.some(({ edits }) => edits.length > 0)) addPackages(tree, context, options.skipInstall === true);
    report(context, [...files, ...others]);
    return keepFormat(tree, new Map(files.map(({ path, text }) => [path, text])));
  };
}

function filesWith(ts: TypeScript, tree: Tree, isWanted: (text: string) => boolean): FileChange[] {
  return sourcesOf(tree)
    .map((path) => ({ path, text: textOf(tree, path)! }))
    .filter(({ text }) => isWanted(text))
    .map(({ path, text }) => new FileChange(ts, path, text));
}

function rootPathOf(ts: TypeScript, tree: Tree, { project }: MigrateOptions): string | undefined {
  try {
    return rootModuleOf(ts, tree, projectOf(tree, project === undefined ? {} : { project })).path;
  } catch {
    return undefined;
  }
}

/** Rewrites one registration. A second one would be a second module, so it stays with a comment. */
function rewriteModules(files: readonly FileChange[], root: string | undefined): void {
  const found = files.flatMap((file) => {
    if (TEST_FILE.test(file.path)) return [];
    const cacheModule = namesFrom(file.ts, file.source, OLD).get('CacheModule');
    if (cacheModule === undefined) return [];
    return registrations(file, cacheModule).map((call) => ({ file, call, cacheModule }));
  });
  const rewrittenBefore = files.some(({ text }) => /\bCacheObservabilityModule\b/.test(text));
  const chosen = rewrittenBefore
    ? undefined
    : (found.find(({ file, call }) => isGlobal(file, call)) ??
      found.find(({ file }) => file.path === root) ??
      found[0]);
  for (const one of found) {
    if (one === chosen) rewriteRegistration(one.file, one.call, one.cacheModule);
    else leaveSecond(one.file, one.call);
  }
}

function leaveSecond(file: FileChange, call: CallExpression): void {
  file.leave(
    call,
    'one module serves the whole application. Remove this, or make a named cache: CacheObservabilityModule.forFeature(name, { … }).',
  );
}

function oldNames(file: FileChange) {
  const names = namesFrom(file.ts, file.source, OLD);
  return {
    interceptor: names.get('CacheInterceptor') ?? 'CacheInterceptor',
    key: names.get('CacheKey') ?? 'CacheKey',
    ttl: names.get('CacheTTL') ?? 'CacheTTL',
  };
}

/** Leaves a subclass of the interceptor, which still works. A comment on the class names what replaces it. */
function leaveSubclasses(file: FileChange, interceptor: string): void {
  const { ts, source } = file;
  const visit = (node: Node): void => {
    if (ts.isClassLike(node) && node.heritageClauses?.some((clause) => isOf(file, clause, interceptor)) === true) {
      const overridden = new Set(node.members.map((member) => member.name?.getText(source)));
      const advice = OVERRIDES.flatMap(([method, text]) => (overridden.has(method) ? [text] : []));
      file.leave(
        node,
        `${['its handlers are left, because it is a class of your own and still works', ...advice].join('; ')}. Put @Cached on the handlers, then remove it.`,
      );
    }
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(source, visit);
}

function isOf(file: FileChange, { token, types }: HeritageClause, name: string): boolean {
  return token === file.ts.SyntaxKind.ExtendsKeyword && types.some((type) => file.textOf(type.expression) === name);
}

const UNCACHED_IN_TESTS =
  'Handlers and methods with @Cached do not use a CACHE_MANAGER of a test. Without CacheObservabilityModule they run uncached: a test that ' +
  'counts calls of their origin fails until it imports the module.';

const FROZEN =
  'The values that it returns are frozen, and changing one throws: change a copy, or set policy: { clone: true } in forRoot().';

/** The replacement for each method of CacheInterceptor that a subclass may override. */
const OVERRIDES = [
  [
    'trackBy',
    'return the key of trackBy() in key: @Cached(pattern, { key: (context) => … }), or name what it reads in vary',
  ],
  ['isRequestCacheable', "for isRequestCacheable() use methods: ['GET'] or cacheIf"],
  ['intercept', 'move what intercept() adds to a separate interceptor'],
] as const;

function noteUses(file: FileChange, isGlobalHere: boolean): void {
  const names = namesFrom(file.ts, file.source, OLD);
  const isTest = TEST_FILE.test(file.path);
  if (isTest && names.has('CacheModule')) {
    file.note(file.source, `A test may keep its CacheModule for code that injects CACHE_MANAGER. ${UNCACHED_IN_TESTS}`);
  }
  if (names.has('CACHE_MANAGER')) {
    file.note(
      file.source,
      isTest
        ? `A CACHE_MANAGER that a test provides only serves code that injects it. ${UNCACHED_IN_TESTS}`
        : `CACHE_MANAGER still works, and now uses the layers of this module. ${FROZEN} ${UNCACHED_IN_TESTS}`,
    );
  }
  if (isGlobalHere) {
    file.note(
      file.source,
      'The global CacheInterceptor still works and now uses this module. Put @Cached on handlers, then remove it.',
    );
  }
}

function write(tree: Tree, file: FileChange): void {
  if (file.edits.length === 0) return;
  const { ts, source, needed } = file;
  const adding = needed.size === 0 ? [] : importing(ts, source, NEW, [...needed].sort());
  const text = edited(file.text, [...file.edits, ...adding]);
  tree.overwrite(file.path, edited(text, withoutUnused(ts, text, FORMER)));
}

function report(context: SchematicContext, files: readonly FileChange[]): void {
  const all = files.flatMap(({ path, findings }) => findings.map((finding) => ({ path, ...finding })));
  const of = (kind: Finding['kind']) => all.filter((finding) => finding.kind === kind);
  const titles = { rewritten: 'Rewritten', left: 'Left for you, with a TODO in the code', note: 'To know' } as const;
  if (all.length === 0) return context.logger.info(`No use of ${OLD} was found.`);
  for (const kind of ['rewritten', 'left', 'note'] as const) {
    if (of(kind).length === 0) continue;
    context.logger.info(`${titles[kind]}:`);
    // Use one log level, because the runner writes warnings to another stream than their heading.
    for (const { path, line, text } of of(kind)) context.logger.info(`  ${path}:${line} ${text}`);
  }
}
