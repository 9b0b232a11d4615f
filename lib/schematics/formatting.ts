import { createRequire } from 'node:module';
import { join } from 'node:path';
import { textOf, type Tree } from './tree.js';

/** The part of the application's Prettier that this file uses. */
interface Prettier {
  resolveConfig(path: string, options: { editorconfig: boolean }): Promise<object | null>;
  check(text: string, options: object): Promise<boolean>;
  format(text: string, options: object): Promise<string>;
}

/**
 * Formats the written files with the project's own Prettier, because its ESLint rules may require that. Files that did not have
 * this format before keep their own.
 * @param before the text of each file before the schematic changed it.
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
      // If Prettier cannot format the file, the unformatted text is still valid.
    }
  }
}
