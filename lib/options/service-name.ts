import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { isRecord } from '../cache/options/option-rules.js';

/** The name of the application in its package.json. */
export interface ApplicationName {
  /** Undefined if no package.json has one. */
  readonly name: string | undefined;
  /** Why the name is not unique to this application; undefined if it is. */
  readonly unfit: string | undefined;
}

/** The way a process was started. */
export interface Started {
  /** The working directory. */
  readonly cwd: string;
  /** The script that Node runs. */
  readonly script: string | undefined;
}

/** This process. */
function thisProcess(): Started {
  return { cwd: process.cwd(), script: process.argv[1] };
}

/**
 * Finds the application's name in a package.json: in the one nearest to the script if the script is in the package of the
 * working directory, otherwise in the one nearest to the working directory. The name is unfit if that package contains several
 * projects, as in a monorepo.
 */
export function applicationName(started: Started = thisProcess()): ApplicationName {
  const own = ownScript(started);
  const nearest = nearestPackage(started.cwd, own);
  if (nearest === undefined)
    return { name: undefined, unfit: `there is no package.json in ${started.cwd} or above it` };
  const { directory, name } = nearest;
  const file = join(directory, 'package.json');
  if (name === undefined) return { name, unfit: `${file} has no name` };
  const several = severalProjects(nearest, own);
  return { name, unfit: several && `the name in ${file} covers several projects (${several})` };
}

/** Returns only the name, without reading the files that identify a monorepo. */
function packageName(): string | undefined {
  const started = thisProcess();
  return nearestPackage(started.cwd, ownScript(started))?.name;
}

/** Returns the path of the script, unless an installed tool provides it. */
function ownScript({ cwd, script }: Started): string | undefined {
  return script === undefined || isInstalled(script) ? undefined : resolve(cwd, script);
}

function nearestPackage(cwd: string, own: string | undefined): Package | undefined {
  const around = packageAbove(cwd);
  const root = around?.directory ?? cwd;
  return own !== undefined && isInside(own, root)
    ? (namedAbove(own, root) ?? around)
    : (around ?? (own === undefined ? undefined : namedAbove(own)));
}

interface Package {
  readonly directory: string;
  readonly name: string | undefined;
  readonly workspaces: boolean;
}

/** Finds the nearest package.json in a directory or above it. */
function packageAbove(directory: string): Package | undefined {
  for (let at = directory; ; at = dirname(at)) {
    const found = packageIn(at);
    if (found !== undefined || at === dirname(at)) return found;
  }
}

/** Finds the nearest package.json with a name, from a path upwards but not above `root`. */
function namedAbove(path: string, root?: string): Package | undefined {
  for (let at = path; ; at = dirname(at)) {
    const found = packageIn(at);
    if (found?.name !== undefined) return found;
    if (at === root || at === dirname(at)) return undefined;
  }
}

function packageIn(directory: string): Package | undefined {
  const text = textOf(join(directory, 'package.json'));
  if (text === undefined) return undefined;
  const { name, workspaces } = recordOf(text);
  return {
    directory,
    name: typeof name === 'string' && name.trim() !== '' ? name.trim() : undefined,
    workspaces: workspaces !== undefined,
  };
}

/** Returns the sign that one package.json covers several applications; undefined if there is none. */
function severalProjects({ directory, workspaces }: Package, script: string | undefined): string | undefined {
  for (const file of ['nest-cli.json', '.nest-cli.json', '.nestcli.json', 'nest.json']) {
    const { monorepo, projects } = recordOf(textOf(join(directory, file)));
    if (monorepo === true) return `${file}: monorepo`;
    const applications = Object.values(isRecord(projects) ? projects : {}).filter(
      (project) => isRecord(project) && project['type'] !== 'library',
    );
    if (applications.length > 1) return `${file}: ${applications.length} projects`;
  }
  if (workspaces) return 'package.json: workspaces';
  if (/^packages\s*:/m.test(textOf(join(directory, 'pnpm-workspace.yaml')) ?? '')) return 'pnpm-workspace.yaml';
  const file = ['nx.json', 'lerna.json', 'rush.json'].find((name) => existsSync(join(directory, name)));
  if (file !== undefined) return file;
  // A container image of a monorepo often contains only the built files.
  const built = script === undefined ? undefined : /^dist[/\\]apps[/\\][^/\\]+[/\\]/.exec(relative(directory, script));
  return built === null || built === undefined
    ? undefined
    : `this is one of the applications in ${join(directory, 'dist', 'apps')}`;
}

/** Detects scripts of installed tools: their path does not identify the application that they run. */
function isInstalled(script: string): boolean {
  return script.split(/[/\\]/).includes('node_modules');
}

function isInside(path: string, directory: string): boolean {
  const way = relative(directory, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function recordOf(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse((text ?? '{}').replace(/^\uFEFF/, ''));
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

/** The default service name of exporters. */
export function defaultServiceName(): string {
  return packageName() ?? 'nestjs-application';
}

/** The options that determine a cache's namespace. */
export interface NamespaceOptions {
  readonly namespace?: string | undefined;
  readonly serviceName?: string | undefined;
  readonly layers?: readonly { readonly name: string; readonly shared?: boolean }[] | undefined;
}

/** Returns the given namespace, otherwise `serviceName`, otherwise the name of the package. */
export function namespaceOf({ namespace, serviceName }: NamespaceOptions): string {
  return namespace ?? serviceName ?? packageName() ?? 'cache';
}

/**
 * Returns why a cache needs a `namespace`: it shares a layer, and nothing else separates its keys from other applications. Undefined
 * if it needs none.
 */
export function namespaceFault({ namespace, serviceName, layers = [] }: NamespaceOptions): string | undefined {
  const shared = layers.filter((layer) => layer?.shared === true).map(({ name }) => `'${name}'`);
  if (namespace !== undefined || serviceName !== undefined || shared.length === 0) return undefined;
  const { unfit } = applicationName();
  if (unfit === undefined) return undefined;
  return (
    `namespace: is missing. Other applications may use layer ${shared.join(', ')} too, and ${unfit}. ` +
    `Set namespace or serviceName to a name that only this application has.`
  );
}
