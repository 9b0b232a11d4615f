import { createRequire } from 'node:module';
import { join } from 'node:path';
import type ts from 'typescript';

/** The compiler API of the application's own TypeScript. */
export type TypeScript = typeof ts;

/** Loads the TypeScript of the application in which a schematic runs. */
export function loadTypeScript(directory = process.cwd()): TypeScript {
  const load = createRequire(join(directory, 'package.json'));
  let loaded: Partial<TypeScript> & { default?: TypeScript };
  try {
    loaded = load('typescript') as Partial<TypeScript>;
  } catch (cause) {
    throw new Error('The package typescript is missing in this project: npm install --save-dev typescript.', { cause });
  }
  const compiler = loaded.createSourceFile === undefined ? loaded.default : (loaded as TypeScript);
  if (compiler?.createSourceFile === undefined) {
    throw new Error('The installed typescript has no compiler API. Install typescript 5 or 6 while this runs.');
  }
  return compiler;
}
