import type { SourceFile } from 'typescript';
import type { Edit } from '../edits.js';
import type { TypeScript } from '../typescript.js';

/** Returns the local names of a file's imports from a package, by their exported names. */
export function namesFrom(ts: TypeScript, source: SourceFile, from: string): Map<string, string> {
  const names = new Map<string, string>();
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const named = statement.importClause?.namedBindings;
    if (statement.moduleSpecifier.text !== from || named === undefined || !ts.isNamedImports(named)) continue;
    for (const { name, propertyName } of named.elements) names.set(propertyName?.text ?? name.text, name.text);
  }
  return names;
}

/** Returns edits that remove imported names which the file no longer uses. */
export function withoutUnused(ts: TypeScript, text: string, from: readonly string[]): Edit[] {
  const source = ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true);
  const edits: Edit[] = [];
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const clause = statement.importClause;
    const named = clause?.namedBindings;
    if (!from.includes(statement.moduleSpecifier.text) || named === undefined || !ts.isNamedImports(named)) continue;
    const used = named.elements.filter(({ name }) => isUsed(text, name.text));
    if (used.length === named.elements.length) continue;
    if (used.length > 0) {
      const names = used.map((element) => element.getText(source)).join(', ');
      edits.push({ start: named.getStart(source), end: named.getEnd(), text: `{ ${names} }` });
    } else if (clause?.name === undefined) {
      const after = /^[ \t]*\r?\n/.exec(text.slice(statement.getEnd()))?.[0].length ?? 0;
      edits.push({ start: statement.getStart(source), end: statement.getEnd() + after, text: '' });
    }
  }
  return edits;
}

function isUsed(text: string, name: string): boolean {
  const code = text.replace(/\/\*[^]*?\*\/|\/\/[^\n]*/g, '');
  return [...code.matchAll(new RegExp(`(?<![\\w$])${name.replace(/\$/g, '\\$&')}(?![\\w$])`, 'g'))].length > 1;
}
