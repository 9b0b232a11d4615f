// Projects around the packed library: installed applications, and the output of `nest new`.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const here = fileURLToPath(new URL('.', import.meta.url));
export const root = join(here, '../..');
export const nests = ['nest11', 'nest12'];
const own = promisify(execFile);

/** Runs a command; if it fails, the error contains its whole output. */
export async function run(command, args, { cwd, env = {}, timeout = 600_000 } = {}) {
  try {
    const options = { cwd, env: { ...process.env, ...env }, timeout, maxBuffer: 64 * 1024 * 1024 };
    const { stdout } = await own(command, args, options);
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '', killed } = error;
    const why = killed ? `was ended after ${timeout} ms` : error.code === undefined ? error.message : 'failed';
    throw new Error(`${[command, ...args].join(' ')} ${why}\n${stdout}\n${stderr}`);
  }
}

const npm = (args, cwd) => run('npm', [...args, '--no-fund', '--no-audit', '--silent', '--prefer-offline'], { cwd });

/** The packed library. */
export async function pack(work) {
  const [{ filename }] = JSON.parse(
    await run('npm', ['pack', '--json', '--silent', '--pack-destination', work], { cwd: root }),
  );
  return join(work, filename);
}

/** One installation serves all applications of one version of Nest, which lie below its node_modules. */
export async function install(work, nest, tarball) {
  const project = join(work, nest);
  cpSync(join(here, nest), project, { recursive: true });
  await npm(['install', '--no-package-lock', tarball], project);
}

/** The output of `nest new shop` with the schematics of that version, in its own folder below the installed packages. */
export async function generate(project) {
  const shop = join(project, 'shop');
  rmSync(shop, { recursive: true, force: true });
  const args = ['--name=shop', '--language=ts', '--package-manager=npm'];
  await run(join(root, 'node_modules/.bin/schematics'), ['@nestjs/schematics:application', ...args], { cwd: project });
  const wanted = JSON.parse(readFileSync(join(shop, 'package.json'), 'utf8'));
  const installed = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')).dependencies;
  const missing = Object.keys({ ...wanted.dependencies, ...wanted.devDependencies }).filter(
    (name) => installed[name] === undefined && !NOT_RUN.has(name),
  );
  if (missing.length > 0) throw new Error(`nest new needs ${missing.join(', ')}: add them to ${project}/package.json`);
  return shop;
}

/**
 * Packages of generated projects that these checks do not run: the Nest CLI, debuggers, other builders, coverage,
 * another linter.
 */
const NOT_RUN = new Set([
  '@eslint/eslintrc',
  '@nestjs/cli',
  '@nestjs/mau',
  '@vitest/coverage-v8',
  'oxlint',
  'oxlint-tsgolint',
  'prettier',
  'source-map-support',
  'ts-loader',
  'ts-node',
  'tsconfig-paths',
]);

/** The versions of Node besides the running one; a missing version is reported in one line. */
export async function installNodes(work, majors) {
  const running = Number(process.versions.node.split('.')[0]);
  const found = new Map();
  for (const major of majors) {
    if (major === running) {
      found.set(major, process.execPath);
      continue;
    }
    const folder = join(work, `node${major}`);
    mkdirSync(folder);
    try {
      // The package `node` installs its program by a script, which npm may not run.
      await npm(
        ['install', '--no-package-lock', '--no-save', `node-${process.platform}-${process.arch}@${major}`],
        folder,
      );
      const binary = join(folder, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
      await run(binary, ['--version']);
      found.set(major, binary);
    } catch (error) {
      console.log(
        `Node ${major}: skipped, it cannot be installed here (${error.message.split('\n').slice(0, 3).join(' ')})`,
      );
    }
  }
  return found;
}
