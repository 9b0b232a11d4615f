import type { Directory, SchematicContext, Tree } from '../../lib/schematics/tree.js';

/** The files of a project in memory, as the Nest CLI gives them to a schematic. */
export class FileTree implements Tree {
  readonly files: Map<string, string>;

  constructor(files: Readonly<Record<string, string>>) {
    this.files = new Map(Object.entries(files));
  }

  exists(path: string): boolean {
    return this.files.has(path);
  }

  read(path: string): Buffer | null {
    const text = this.files.get(path);
    return text === undefined ? null : Buffer.from(text);
  }

  create(path: string, content: string): void {
    if (this.files.has(path)) throw new Error(`${path} exists`);
    this.files.set(path, content);
  }

  overwrite(path: string, content: string): void {
    if (!this.files.has(path)) throw new Error(`${path} does not exist`);
    this.files.set(path, content);
  }

  getDir(path: string): Directory {
    const prefix = path === '/' ? '' : `${path.replace(/^\//, '')}/`;
    const below = [...this.files.keys()]
      .filter((file) => file.startsWith(prefix))
      .map((file) => file.slice(prefix.length));
    return {
      subfiles: below.filter((name) => !name.includes('/')),
      subdirs: [...new Set(below.filter((name) => name.includes('/')).map((name) => name.split('/')[0]!))],
      dir: (name) => this.getDir(`/${prefix}${name}`),
    };
  }
}

/** A schematic's context that records the log and the added tasks. */
export class NotedContext implements SchematicContext {
  readonly lines: string[] = [];
  /** The level of each line: the runner writes warnings to another stream. */
  readonly levels: string[] = [];
  readonly tasks: unknown[] = [];
  readonly logger = {
    info: (text: string) => this.#write('info', text),
    warn: (text: string) => this.#write('warn', text),
  };

  #write(level: string, text: string): void {
    this.levels.push(level);
    this.lines.push(text);
  }

  addTask(task: { toConfiguration(): unknown }): void {
    this.tasks.push(task.toConfiguration());
  }
}
