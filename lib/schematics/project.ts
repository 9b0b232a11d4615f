import { posix } from 'node:path';
import type { Node } from 'typescript';
import type { TypeScript } from './typescript.js';
import { jsonOf, textOf, type Tree } from './tree.js';

interface NestCliConfiguration {
  readonly sourceRoot?: string;
  readonly entryFile?: string;
  readonly root?: string;
  readonly projects?: Readonly<Record<string, { readonly sourceRoot?: string; readonly entryFile?: string }>>;
}

/** The places of an application's sources. */
export interface Project {
  readonly sourceRoot: string;
  /** The file in `sourceRoot` that starts the application. */
  readonly entryFile: string;
}

/** A class and the file that declares it. */
export interface DeclaredClass {
  readonly path: string;
  readonly name: string;
}

/**
 * Finds an application of a standard or monorepo project.
 * @param name the name of a project in nest-cli.json. Without it, the project that owns `sourceRoot`, or else the root
 *   project.
 */
export function projectOf(
  tree: Tree,
  { project: name, sourceRoot }: { project?: string; sourceRoot?: string },
): Project {
  const { projects = {}, ...root } = jsonOf<NestCliConfiguration>(tree, 'nest-cli.json') ?? {};
  if (name !== undefined && projects[name] === undefined) {
    const names = Object.keys(projects).join(', ') || 'none';
    throw new Error(`nest-add: project "${name}" is not in nest-cli.json. Projects there: ${names}.`);
  }
  const chosen =
    (name !== undefined ? projects[name] : undefined) ??
    Object.values(projects).find((project) => sourceRoot !== undefined && project.sourceRoot === sourceRoot) ??
    (sourceRoot === undefined ? projects[posix.basename(root.root ?? '')] : undefined) ??
    root;
  return {
    sourceRoot: (name === undefined ? sourceRoot : undefined) ?? chosen.sourceRoot ?? 'src',
    entryFile: (chosen.entryFile ?? root.entryFile ?? 'main').replace(/\.ts$/, ''),
  };
}

/**
 * Finds the module from which an application is created: the one that its entry file names, or else `AppModule` in its usual
 * place.
 */
export function rootModuleOf(ts: TypeScript, tree: Tree, { sourceRoot, entryFile }: Project): DeclaredClass {
  const entry = posix.join(sourceRoot, `${entryFile}.ts`);
  const text = textOf(tree, entry);
  const found = text === undefined ? undefined : createdFrom(ts, tree, entry, text);
  const usual = posix.join(sourceRoot, 'app.module.ts');
  if (found !== undefined) return found;
  if (tree.exists(usual)) return { path: usual, name: 'AppModule' };
  throw new Error(
    `nest-add: no root module was found in ${entry} or ${usual}. Import CacheObservabilityModule.forRoot() into your root module by hand.`,
  );
}

const FACTORY_METHODS = new Set(['create', 'createMicroservice', 'createApplicationContext']);

function createdFrom(ts: TypeScript, tree: Tree, path: string, text: string): DeclaredClass | undefined {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  let name: string | undefined;
  const visit = (node: Node): void => {
    if (
      ts.isCallExpression(node) &&
      ts.isPropertyAccessExpression(node.expression) &&
      FACTORY_METHODS.has(node.expression.name.text) &&
      node.expression.expression.getText(source) === 'NestFactory' &&
      node.arguments[0] !== undefined &&
      ts.isIdentifier(node.arguments[0])
    ) {
      name ??= node.arguments[0].text;
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  if (name === undefined) return undefined;
  for (const statement of source.statements) {
    if (ts.isClassDeclaration(statement) && statement.name?.text === name) return { path, name };
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const named = statement.importClause?.namedBindings;
    if (named === undefined || !ts.isNamedImports(named)) continue;
    const imported = named.elements.find((element) => element.name.text === name);
    if (imported === undefined) continue;
    const file = sourceFileOf(tree, path, statement.moduleSpecifier.text);
    return file === undefined ? undefined : { path: file, name: imported.propertyName?.text ?? name };
  }
  return undefined;
}

/** Returns the source file of a relative import, with or without an extension. */
function sourceFileOf(tree: Tree, from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const base = posix.join(posix.dirname(from), specifier.replace(/\.[cm]?js$/, ''));
  return [`${base}.ts`, base, `${base}/index.ts`].find((path) => path.endsWith('.ts') && tree.exists(path));
}
