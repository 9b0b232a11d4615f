/** The part of a schematic's file tree that the schematics use. The full type belongs to a package of the Nest CLI. */
export interface Tree {
  exists(path: string): boolean;
  read(path: string): Buffer | null;
  create(path: string, content: string): void;
  overwrite(path: string, content: string): void;
  getDir(path: string): Directory;
}

/** A folder of a schematic's file tree. */
export interface Directory {
  readonly subfiles: readonly string[];
  readonly subdirs: readonly string[];
  dir(name: string): Directory;
}

const NOT_SOURCES = new Set(['node_modules', 'dist', 'coverage', '.git']);

/** Lists the TypeScript sources of a project, without declaration files, build output and installed packages. */
export function sourcesOf(tree: Tree): string[] {
  const paths: string[] = [];
  const walk = (directory: Directory, path: string): void => {
    for (const name of directory.subfiles) {
      if (name.endsWith('.ts') && !name.endsWith('.d.ts')) paths.push(`${path}${name}`);
    }
    for (const name of directory.subdirs) {
      if (!NOT_SOURCES.has(name)) walk(directory.dir(name), `${path}${name}/`);
    }
  };
  walk(tree.getDir('/'), '');
  return paths;
}

/** The part of a schematic's context that the schematics use. */
export interface SchematicContext {
  readonly logger: { info(text: string): void; warn(text: string): void };
  addTask(task: { toConfiguration(): { name: string; options: unknown } }): unknown;
}

/** Returns the text of a file; undefined if it does not exist. */
export function textOf(tree: Tree, path: string): string | undefined {
  return tree
    .read(path)
    ?.toString('utf8')
    .replace(/^\uFEFF/, '');
}

/** Parses a JSON file, which may contain comments; undefined if there is no such file. */
export function jsonOf<T>(tree: Tree, path: string): T | undefined {
  const text = textOf(tree, path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text.replace(/("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[^]*?\*\//g, '$1')) as T;
  } catch (error) {
    throw new Error(`${path}: is not valid JSON. ${(error as Error).message}`, { cause: error });
  }
}
