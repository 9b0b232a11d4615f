import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownFile } from '../cache/own-file.js';
import { jsonOf, type SchematicContext, textOf, type Tree } from './tree.js';

interface PackageFile {
  name?: string;
  version?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
}

/** Peers that every Nest application has. */
const OF_NEST = new Set(['@nestjs/common', '@nestjs/core', 'reflect-metadata', 'rxjs']);

/** Adds missing peers and this package to package.json and installs them. */
export function addPackages(tree: Tree, context: SchematicContext, skipInstall: boolean): void {
  const text = textOf(tree, 'package.json');
  const application = jsonOf<PackageFile>(tree, 'package.json');
  if (text === undefined || application === undefined)
    throw new Error('nest-add: package.json is missing in this folder.');
  const known = { ...application.devDependencies, ...application.dependencies };
  const { name, version, peerDependencies = {}, peerDependenciesMeta = {} } = ownPackage();
  const wanted = Object.entries(peerDependencies).filter(
    ([peer]) => peerDependenciesMeta[peer]?.optional !== true && !OF_NEST.has(peer),
  );
  const missing = [[name!, `^${version}`] as const, ...wanted].filter(
    ([wantedName]) => known[wantedName] === undefined,
  );
  if (missing.length === 0) return;
  const nest = majorOf(known['@nestjs/common']);
  const dependencies = { ...application.dependencies };
  for (const [peer, range] of missing) dependencies[peer] = peer.startsWith('@nestjs/') ? rangeFor(range, nest) : range;
  const sorted = Object.fromEntries(Object.entries(dependencies).sort(([a], [b]) => (a < b ? -1 : 1)));
  const indentation = /^[ \t]+/m.exec(text)?.[0] ?? '  ';
  tree.overwrite(
    'package.json',
    `${JSON.stringify({ ...application, dependencies: sorted }, undefined, indentation)}\n`,
  );
  if (skipInstall) return;
  const options = { command: 'install', packageManager: packageManagerOf(tree) };
  context.addTask({ toConfiguration: () => ({ name: 'node-package', options }) });
}

/** Reads the package.json of this package. */
function ownPackage(): PackageFile {
  const file = ownFile()!;
  let directory = dirname(file.startsWith('file:') ? fileURLToPath(file) : file);
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as PackageFile;
}

function majorOf(range: string | undefined): number | undefined {
  const major = /\d+/.exec(range ?? '')?.[0];
  return major === undefined ? undefined : Number(major);
}

/**
 * Returns the part of a range such as `^3.1.0 || ^12.0.0` that fits a version of Nest. From 12 on, the packages have Nest's
 * major version.
 */
function rangeFor(range: string, nest: number | undefined): string {
  const alternatives = range.split('||').map((one) => one.trim());
  if (nest === undefined) return alternatives.at(-1)!;
  return alternatives.find((one) => majorOf(one) === nest) ?? alternatives[0]!;
}

function packageManagerOf(tree: Tree): 'npm' | 'yarn' | 'pnpm' {
  if (tree.exists('pnpm-lock.yaml')) return 'pnpm';
  return tree.exists('yarn.lock') ? 'yarn' : 'npm';
}
