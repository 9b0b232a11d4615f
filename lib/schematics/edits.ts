import type { ObjectLiteralExpression, PropertyAssignment, SourceFile } from 'typescript';
import type { TypeScript } from './typescript.js';

/** Replaces the text from `start` to `end`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Applies edits, which must not overlap, to a text. */
export function edited(text: string, edits: readonly Edit[]): string {
  return [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce((result, { start, end, text: by }) => result.slice(0, start) + by + result.slice(end), text);
}

/** The line width of generated projects. */
const WIDTH = 80;

/** Adds names to the import of a package, with the file's own quotes. Returns no edit if all names are already imported. */
export function importing(ts: TypeScript, source: SourceFile, from: string, names: readonly string[]): Edit[] {
  const imports = source.statements.filter((statement) => ts.isImportDeclaration(statement));
  const quote = imports[0]?.moduleSpecifier.getText(source)[0] ?? "'";
  for (const statement of imports) {
    const { moduleSpecifier, importClause } = statement;
    const named = importClause?.namedBindings;
    if (!ts.isStringLiteral(moduleSpecifier) || moduleSpecifier.text !== from) continue;
    if (named === undefined || !ts.isNamedImports(named) || importClause?.isTypeOnly === true) continue;
    const known = named.elements.map(({ name }) => name.text);
    const missing = names.filter((name) => !known.includes(name));
    if (missing.length === 0) return [];
    const last = named.elements.at(-1);
    const at = last?.getEnd() ?? named.getStart(source) + 1;
    return [{ start: at, end: at, text: `${last === undefined ? ' ' : ', '}${missing.join(', ')}` }];
  }
  const short = `import { ${names.join(', ')} } from ${quote}${from}${quote};`;
  const line =
    short.length <= WIDTH
      ? short
      : `import {\n${names.map((name) => `  ${name},\n`).join('')}} from ${quote}${from}${quote};`;
  const last = imports.at(-1);
  if (last === undefined) return [{ start: 0, end: 0, text: `${line}\n\n` }];
  return [{ start: last.getEnd(), end: last.getEnd(), text: `\n${line}` }];
}

/**
 * Adds an element to the `imports` of a class with `@Module`.
 * @param element text of one or several lines, indented as at the beginning of a line.
 * @returns undefined if the class has no such decorator, or if the decorator's argument is not an object.
 */
export function addingModuleImport(
  ts: TypeScript,
  source: SourceFile,
  className: string,
  element: string,
): Edit | undefined {
  const declaration = source.statements.find(
    (statement) => ts.isClassDeclaration(statement) && statement.name?.text === className,
  );
  if (declaration === undefined || !ts.isClassDeclaration(declaration)) return undefined;
  for (const { expression } of ts.getDecorators(declaration) ?? []) {
    if (!ts.isCallExpression(expression) || expression.expression.getText(source) !== 'Module') continue;
    const [metadata] = expression.arguments;
    if (metadata === undefined) {
      const at = expression.getEnd() - 1;
      return { start: at, end: at, text: `{\n  imports: ${listOf([element], '  ')},\n}` };
    }
    return ts.isObjectLiteralExpression(metadata) ? addingTo(ts, source, metadata, element) : undefined;
  }
  return undefined;
}

function addingTo(ts: TypeScript, source: SourceFile, metadata: ObjectLiteralExpression, element: string): Edit {
  const property = metadata.properties.find(
    (one): one is PropertyAssignment => ts.isPropertyAssignment(one) && one.name.getText(source) === 'imports',
  );
  if (property === undefined) {
    const shorthand = metadata.properties.find((one) => one.name?.getText(source) === 'imports');
    if (shorthand !== undefined) {
      return { start: shorthand.getStart(source), end: shorthand.getEnd(), text: `imports: [...imports, ${element}]` };
    }
    const at = metadata.getStart(source) + 1;
    return { start: at, end: at, text: `\n  imports: ${listOf([element], '  ')},` };
  }
  const list = property.initializer;
  if (!ts.isArrayLiteralExpression(list)) {
    return { start: list.getStart(source), end: list.getEnd(), text: `[...${list.getText(source)}, ${element}]` };
  }
  const last = list.elements.at(-1);
  const before = last === undefined ? '' : source.text.slice(last.getFullStart(), last.getStart(source));
  // The element gets its own line if the last element has one.
  if (last !== undefined && before.includes('\n')) {
    const indentation = before.slice(before.lastIndexOf('\n') + 1);
    return { start: last.getEnd(), end: last.getEnd(), text: `,\n${indentation}${indented(element, indentation)}` };
  }
  const elements = [...list.elements.map((one) => one.getText(source)), element];
  return { start: list.getStart(source), end: list.getEnd(), text: listOf(elements, indentationAt(source, property)) };
}

/**
 * Writes a list on one line. If an element has several lines, each element gets its own line. @param indentation the
 * indentation of the line on which the list begins.
 */
function listOf(elements: readonly string[], indentation: string): string {
  if (!elements.some((element) => element.includes('\n'))) return `[${elements.join(', ')}]`;
  const inner = `${indentation}  `;
  return `[\n${elements.map((element) => `${inner}${indented(element, inner)},\n`).join('')}${indentation}]`;
}

/** Indents all lines except the first. */
function indented(text: string, indentation: string): string {
  return text.replaceAll('\n', `\n${indentation}`);
}

function indentationAt(source: SourceFile, node: PropertyAssignment): string {
  const start = node.getStart(source);
  const line = source.text.slice(source.text.lastIndexOf('\n', start - 1) + 1, start);
  return /^\s*/.exec(line)![0];
}
