import { describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

const pages = [
  'README.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    // `npm run docs` generates the API's pages from docstrings.
    .filter((file) => file.endsWith('.md') && !file.startsWith(join('reference', 'api')))
    .map((file) => join('docs', file)),
];

interface Block {
  readonly page: string;
  readonly line: number;
  readonly code: string;
}

/** A file of a project with its path: test/consumers/generated-tests.mjs compiles and runs those of docs/testing.md. */
const isFile = ({ code }: Block) => /^\/\/ \S+\.ts( \(\w+\))?\n/.test(code);

const allBlocks: Block[] = pages.flatMap((page) => {
  const text = readFileSync(page, 'utf8');
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => ({
    page,
    line: text.slice(0, match.index).split('\n').length + 1,
    code: match[1]!,
  }));
});

const blocks = allBlocks.filter((block) => !isFile(block));

/** Modules whose exports a block may use without an import. The first module with a name wins. */
const MODULES = [
  'nestjs-cache-observability',
  './documented-shop.js',
  '@nestjs/common',
  '@jest/globals',
  'class-transformer',
];

/** Code of README is complete. */
const NOTHING: ReadonlyMap<string, string> = new Map();

const root = resolve('.');
const folder = join(root, 'test/support');

const options: ts.CompilerOptions = {
  ...ts.parseJsonConfigFileContent(ts.readConfigFile('tsconfig.json', ts.sys.readFile).config, ts.sys, root).options,
  // As in `nest new`.
  isolatedModules: false,
  verbatimModuleSyntax: false,
  noUncheckedIndexedAccess: false,
  noImplicitOverride: false,
  declaration: false,
  sourceMap: false,
};

/** One program for all files; those of the blocks are in memory. */
function programOf(files: ReadonlyMap<string, string>, before?: ts.Program): ts.Program {
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.readFile = (name) => files.get(name) ?? readFile(name);
  host.getSourceFile = (name, languageOptions, ...rest) => {
    const text = files.get(name);
    if (text === undefined) return before?.getSourceFile(name) ?? getSourceFile(name, languageOptions, ...rest);
    return ts.createSourceFile(name, text, languageOptions);
  };
  return ts.createProgram([...files.keys()], options, host, before);
}

/** The modules from which each name can be imported. */
function exportsOf(program: ts.Program, index: string): ReadonlyMap<string, string> {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(index)!;
  const found = new Map<string, string>();
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    const module = (statement.moduleSpecifier as ts.StringLiteral).text;
    const symbol = checker.getSymbolAtLocation(statement.moduleSpecifier);
    for (const { name } of symbol === undefined ? [] : checker.getExportsOfModule(symbol)) {
      if (!found.has(name)) found.set(name, module);
    }
  }
  return found;
}

/** Turns a block into a module: fills placeholders, wraps members in a class, imports assumed names. */
function moduleOf({ code }: Block, known: ReadonlyMap<string, string>): string {
  const body = code.replace(/\{ … \}/g, '{ return undefined as never; }');
  const parts = body.split(/\n(?=@(?:Get|Post|Cached|CacheInvalidate)\()/);
  const written = parts.map((part) => (isMembers(part) ? asMembers(part) : part)).join('\n');
  const own = ts.createSourceFile('own.ts', written, ts.ScriptTarget.Latest);
  const imported = new Set<string>();
  const declared = new Set<string>();
  const used = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isImportSpecifier(node)) imported.add(node.name.text);
    if (isDeclared(node)) declared.add((node.name as ts.Identifier).text);
    if (ts.isIdentifier(node)) used.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(own);
  const lines = [...used]
    .filter((name) => known.has(name) && !imported.has(name) && !declared.has(name))
    .map((name) => `import { ${name} } from '${known.get(name)}';`);
  return `${lines.join(' ')} export {};\n${written}`;
}

function isMembers(code: string): boolean {
  return /^@(?:Get|Post|Cached|CacheInvalidate)\(/.test(code);
}

let classes = 0;

/** Adds a method after decorators without a method. */
function asMembers(code: string): string {
  const method = /^\s*(?:async )?\w+\(.*\{/m.test(code.replace(/^@.*$/gm, ''))
    ? ''
    : 'async example(): Promise<{ sellerId: string }> { return undefined as never; }';
  return `abstract class Example${classes++} extends Example { ${code}\n${method} }`;
}

/** Names of the top level; those of members and parameters do not hide an import. */
function isDeclared(node: ts.Node): node is ts.Node & { readonly name: ts.Node } {
  const isTop = ts.isClassDeclaration(node) || ts.isFunctionDeclaration(node);
  const isVariable = ts.isVariableDeclaration(node) && ts.isIdentifier(node.name);
  return (isTop && node.name !== undefined) || isVariable;
}

describe('the code of README and docs', () => {
  it('the code of README and docs compiles', () => {
    const index = join(folder, 'documented-index.ts');
    const first = programOf(new Map([[index, MODULES.map((name) => `import '${name}';`).join('\n')]]));
    const known = exportsOf(first, index);
    const files = new Map(
      blocks.map((block, at) => [
        join(folder, `documented-block${at}.ts`),
        moduleOf(block, block.page === 'README.md' ? NOTHING : known),
      ]),
    );
    const program = programOf(files, first);

    const faults = [...files.keys()].flatMap((name, at) => {
      const source = program.getSourceFile(name)!;
      const { page, line } = blocks[at]!;
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
        ({ start = 0, messageText }) =>
          `${page}:${line + source.getLineAndCharacterOfPosition(start).line - 1} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
      );
    });

    expect(blocks.length).toBeGreaterThan(40);
    expect(faults).toEqual([]);
  }, 240_000);

  it('README and docs have whole files only if the consumers run them', () => {
    const places = new Set(allBlocks.filter(isFile).map(({ page }) => page));
    expect([...places]).toEqual(['docs/testing.md']);
  });

  it('README and docs link only to existing places', () => {
    const broken = pages.flatMap((page) => {
      const text = readFileSync(page, 'utf8').replace(/^```.*?^```$/gms, '');
      return [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
        .filter(([, path, anchor]) => !exists(join(dirname(page), path!), path === '' ? page : undefined, anchor))
        .map(([link]) => `${page}: ${link}`);
    });
    expect(broken).toEqual([]);
  });

  it('README and docs name only existing files of lib', () => {
    const named = [...readFileSync('docs/architecture.md', 'utf8').matchAll(/`([\w-]+\/[\w/.-]+)`/g)].map(
      ([, file]) => file!,
    );
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter((file) => !existsSync(join('lib', file)) && !existsSync(file))).toEqual([]);
  });
});

function exists(path: string, samePage: string | undefined, anchor: string | undefined): boolean {
  const page = samePage ?? path;
  if (!existsSync(page)) return false;
  return anchor === undefined || anchorsOf(readFileSync(page, 'utf8')).has(anchor);
}

/** The anchors that GitHub generates for headings. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = text.replace(/^```.*?^```$/gms, '').matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    ),
  );
}
