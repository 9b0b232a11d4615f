import type { ObjectLiteralExpression, PropertyAssignment, SourceFile } from 'typescript';
import type { TypeScript } from './typescript.js';

/** Replaces the text from `start` to `end`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The text after all edits, which do not overlap. */
export function edited(text: string, edits: readonly Edit[]): string {
  return [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce((result, { start, end, text: by }) => result.slice(0, start) + by + result.slice(end), text);
}

/** Adds names to the import of a package, in the file's own quotes; no edit where all are there. */
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
  const line = `import { ${names.join(', ')} } from ${quote}${from}${quote};`;
  const last = imports.at(-1);
  if (last === undefined) return [{ start: 0, end: 0, text: `${line}\n\n` }];
  return [{ start: last.getEnd(), end: last.getEnd(), text: `\n${line}` }];
}

/**
 * Adds an element to the `imports` of a class with `@Module`.
 * @returns undefined where the class has no such decorator, or one whose argument is not an object.
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
      return { start: at, end: at, text: `{\n  imports: [${element}],\n}` };
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
    return { start: at, end: at, text: `\n  imports: [${element}],` };
  }
  const list = property.initializer;
  if (!ts.isArrayLiteralExpression(list)) {
    return { start: list.getStart(source), end: list.getEnd(), text: `[...${list.getText(source)}, ${element}]` };
  }
  const last = list.elements.at(-1);
  if (last === undefined) return { start: list.getStart(source), end: list.getEnd(), text: `[${element}]` };
  // An element goes on a line of its own where the last one does.
  const before = source.text.slice(last.getFullStart(), last.getStart(source));
  const indentation = before.includes('\n') ? `\n${before.slice(before.lastIndexOf('\n') + 1)}` : ' ';
  return { start: last.getEnd(), end: last.getEnd(), text: `,${indentation}${element}` };
}
