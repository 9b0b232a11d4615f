import { createRequire } from 'node:module';
import { join } from 'node:path';
import { textOf, type Tree } from './tree.js';

/** The part of Prettier that is used here, as the application has it. */
interface Prettier {
  resolveConfig(path: string, options: { editorconfig: boolean }): Promise<object | null>;
  check(text: string, options: object): Promise<boolean>;
  format(text: string, options: object): Promise<string>;
}

/**
 * Formats what was written as the project's own Prettier does: its ESLint rules may demand it. Files that were not in this format
 * keep their own.
 * @param before the text of each file before it was written.
 */
export async function keepFormat(
  tree: Tree,
  before: ReadonlyMap<string, string>,
  directory = process.cwd(),
): Promise<void> {
  for (const [path, text] of before) {
    const written = textOf(tree, path);
    if (written === undefined || written === text) continue;
    try {
      const prettier = createRequire(join(directory, 'package.json'))('prettier') as Prettier;
      const filepath = join(directory, path);
      const options = { ...(await prettier.resolveConfig(filepath, { editorconfig: true })), filepath };
      if (await prettier.check(text, options)) tree.overwrite(path, await prettier.format(written, options));
    } catch {
      // Without a Prettier that reads the file, what was written is right all the same.
    }
  }
}
