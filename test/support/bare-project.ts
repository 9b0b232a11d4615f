import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder with some of our packages installed, as the project that a schematic runs in. */
export function bareProject(packages: readonly string[], files: Readonly<Record<string, string>> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'cache-observability-project-'));
  mkdirSync(join(directory, 'node_modules'));
  for (const name of packages)
    symlinkSync(join(import.meta.dirname, '../../node_modules', name), join(directory, 'node_modules', name));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(directory, path), text);
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
