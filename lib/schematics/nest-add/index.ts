import { addingModuleImport, edited, importing } from '../edits.js';
import { keepFormat } from '../formatting.js';
import { addPackages } from '../packages.js';
import { projectOf, rootModuleOf } from '../project.js';
import { type SchematicContext, textOf, type Tree } from '../tree.js';
import { loadTypeScript } from '../typescript.js';

/** The options of `nest add`. */
export interface NestAddOptions {
  /** `'none'` keeps everything in memory; `'environment'` puts Redis behind it, at the address in `REDIS_URL`. @default 'none' */
  readonly redis?: 'none' | 'environment';
  /** The application in a monorepo. @default the application that nest-cli.json names as root */
  readonly project?: string;
  /** The folder of its sources. @default the folder in nest-cli.json, or `src` */
  readonly sourceRoot?: string;
  /** True to install no packages. @default false */
  readonly skipInstall?: boolean;
}

const PACKAGE = 'nestjs-cache-observability';
/** The call with Redis, in the format of generated projects. */
const WITH_REDIS = `CacheObservabilityModule.forRoot({
  layers: [
    memoryLayer(),
    redisLayer({ url: process.env.REDIS_URL ?? 'redis://localhost:6379' }),
  ],
})`;
/** The folder in which metrics are kept over a restart without Redis. */
const KEPT_METRICS = '.cache-observability/';

/**
 * `nest add nestjs-cache-observability`: imports the module into the root module, adds the folder of its files to .gitignore,
 * and installs missing peers. A second run changes nothing.
 */
export function nestAdd(options: NestAddOptions): (tree: Tree, context: SchematicContext) => Promise<void> {
  return (tree, context) => {
    const before = importModule(tree, context, options);
    ignoreKeptMetrics(tree);
    addPackages(tree, context, options.skipInstall === true);
    return keepFormat(tree, before);
  };
}

/** @returns the text that the written file had before. */
function importModule(tree: Tree, context: SchematicContext, options: NestAddOptions): Map<string, string> {
  const ts = loadTypeScript();
  const project = projectOf(tree, options);
  const module = rootModuleOf(ts, tree, project);
  const text = textOf(tree, module.path)!;
  if (/\bCacheObservabilityModule\b/.test(text)) {
    context.logger.info(`${module.path} imports CacheObservabilityModule already.`);
    return new Map();
  }
  const source = ts.createSourceFile(module.path, text, ts.ScriptTarget.Latest, true);
  const withRedis = options.redis === 'environment';
  const call = withRedis ? WITH_REDIS : 'CacheObservabilityModule.forRoot()';
  const adding = addingModuleImport(ts, source, module.name, call);
  if (adding === undefined) {
    throw new Error(
      `nest-add: ${module.path}: class ${module.name} has no @Module({ … }) to add to. Import ${call} by hand.`,
    );
  }
  const names = ['CacheObservabilityModule', ...(withRedis ? ['memoryLayer', 'redisLayer'] : [])];
  tree.overwrite(module.path, edited(text, [...importing(ts, source, PACKAGE, names), adding]));
  return new Map([[module.path, text]]);
}

function ignoreKeptMetrics(tree: Tree): void {
  const text = textOf(tree, '.gitignore');
  if (text === undefined) return tree.create('.gitignore', `${KEPT_METRICS}\n`);
  const lines = text.split(/\r?\n/).map((line) => line.trim().replace(/^\/|\/$/g, ''));
  if (lines.includes(KEPT_METRICS.slice(0, -1))) return;
  tree.overwrite('.gitignore', `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${KEPT_METRICS}\n`);
}
