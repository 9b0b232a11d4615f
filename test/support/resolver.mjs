// Resolves imports for Jest, which remembers what a resolver finds for all files of a worker, but resolves again
// whatever `moduleNameMapper` maps. Sources name each other as the compiler writes them: `name.js` is `name.ts`.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const RELATIVE = /^\.{1,2}\/.*\.js$/;

export default function resolve(name, options) {
  if (RELATIVE.test(name) && !options.basedir.includes('node_modules')) {
    const source = `${join(options.basedir, name).slice(0, -'.js'.length)}.ts`;
    if (existsSync(source)) return source;
  }
  return options.defaultResolver(name, options);
}
