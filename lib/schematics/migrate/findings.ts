import type { Node, SourceFile } from 'typescript';
import type { Edit } from '../edits.js';
import type { TypeScript } from '../typescript.js';

/** A report for one place in a file: what was rewritten, or why it was left. */
export interface Finding {
  readonly line: number;
  readonly kind: 'rewritten' | 'left' | 'note';
  readonly text: string;
}

/** One file that is rewritten: its syntax, its edits and its findings. */
export class FileChange {
  readonly edits: Edit[] = [];
  readonly findings: Finding[] = [];
  /** The names that the file must import from this package. */
  readonly needed = new Set<string>();
  readonly source: SourceFile;

  constructor(
    readonly ts: TypeScript,
    readonly path: string,
    readonly text: string,
  ) {
    this.source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  }

  textOf(node: Node): string {
    return node.getText(this.source);
  }

  replace(node: Node, by: string, finding: string): void {
    this.edits.push({ start: node.getStart(this.source), end: node.getEnd(), text: by });
    this.#find(node, 'rewritten', finding);
  }

  /** Removes a node, with the blanks and the line end after it. */
  remove(node: Node): void {
    const end = node.getEnd();
    const after = /^[ \t]*(?:\r?\n[ \t]*)?/.exec(this.text.slice(end))![0].length;
    this.edits.push({ start: node.getStart(this.source), end: end + after, text: '' });
  }

  note(node: Node, text: string): void {
    this.#find(node, 'note', text);
  }

  rewritten(node: Node, text: string): void {
    this.#find(node, 'rewritten', text);
  }

  /** Leaves a node as it is, with the reason in a comment before it. */
  leave(node: Node, reason: string): void {
    this.#find(node, 'left', reason);
    const start = node.getStart(this.source);
    if (this.text.slice(Math.max(0, start - reason.length - 80), start).includes(MARK)) return;
    const line = this.text.slice(this.text.lastIndexOf('\n', start - 1) + 1, start);
    const comment = `/* ${MARK}: ${reason} */`;
    // If the node begins its line, the comment gets its own line before it.
    this.edits.push({ start, end: start, text: line.trim() === '' ? `${comment}\n${line}` : `${comment} ` });
  }

  #find(node: Node, kind: Finding['kind'], text: string): void {
    const { line } = this.source.getLineAndCharacterOfPosition(node.getStart(this.source));
    this.findings.push({ line: line + 1, kind, text });
  }
}

/** Marks code that a person must change. */
const MARK = 'TODO nestjs-cache-observability';
