// Makes sure that what the suites start is on this machine: finds redis-server, else installs it, else says what to do.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** What the suites start as private servers: the program, Debian's package, and whether tests cannot run without. */
const servers = [
  { program: 'redis-server', package: 'redis-server' },
  { program: 'redis-sentinel', package: 'redis-sentinel' },
];

const has = (program) =>
  spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0 ||
  existsSync(`/usr/sbin/${program}`);
const missing = servers.filter(({ program }) => !has(program));
if (missing.length === 0) process.exit(0);

const packages = missing.map((server) => server.package);
const apt = has('apt-get') && process.getuid?.() === 0;
if (apt) {
  console.log(`Installing for the tests: ${packages.join(', ')}`);
  // Services must not be started by their packages: the suites start private servers on free ports.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env });
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { stdio: 'inherit', env });
}
const still = servers.filter(({ program }) => !has(program));
if (still.length > 0) {
  console.error(
    `The tests need ${still.map(({ program }) => program).join(', ')} on the PATH. ` +
      `On Debian or Ubuntu: sudo apt-get install ${still.map((server) => server.package).join(' ')}. ` +
      'On macOS: brew install redis.',
  );
  process.exit(1);
}
