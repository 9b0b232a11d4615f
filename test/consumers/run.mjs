// Packs the library as it would be published and uses it in applications of other kinds: npm run test:consumers
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = new URL('.', import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), 'cache-observability-consumers-'));
const run = (command, args, cwd) => execFileSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
let failed = 0;
let passed = 0;
try {
  for (const script of ['entries', 'forms', 'bundles', 'schematics', 'contents']) {
    console.log(`\n-- ${script}`);
    try {
      run('node', [join(here, `${script}.mjs`)], here);
      passed++;
    } catch (error) {
      console.error(`${script}: ${error.message}`);
      failed++;
    }
  }
  const [{ filename }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--silent', '--pack-destination', work], {
      cwd: join(here, '../..'),
      encoding: 'utf8',
    }),
  );
  for (const name of readdirSync(here).filter((entry) => existsSync(join(here, entry, 'package.json')))) {
    console.log(`\n-- ${name}`);
    const app = join(work, name);
    cpSync(join(here, name), app, { recursive: true });
    // One application for all of them; what differs is the platform and the versions.
    cpSync(join(here, 'application.ts'), join(app, 'src/main.ts'));
    try {
      run('npm', ['install', '--no-fund', '--no-audit', '--no-package-lock', '--silent', join(work, filename)], app);
      run('npx', ['tsc', '-p', 'tsconfig.json'], app);
      run('node', ['--disable-warning=ExperimentalWarning', 'dist/main.js'], app);
      passed++;
    } catch (error) {
      console.error(`${name}: ${error.message}`);
      failed++;
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(`consumers: ${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
