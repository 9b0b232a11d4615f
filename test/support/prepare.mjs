// Ensures that the servers of the suites are on this machine: finds each server, else installs it (Debian or Ubuntu as
// root), else copies its program from a Docker image, else prints what to install.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Programs that the suites start, the Debian package of each, and an image that contains it for machines without that
 * package.
 */
const servers = [
  { program: 'redis-server', package: 'redis-server', image: 'redis:7-bookworm', path: '/usr/local/bin/redis-server' },
  { program: 'postgres', package: 'postgresql' },
  { program: 'mariadbd', package: 'mariadb-server' },
  { program: 'prometheus', package: 'prometheus' },
  { program: 'chromium', package: 'chromium' },
  // Creates the certificate of a Redis behind TLS.
  { program: 'openssl', package: 'openssl' },
];

/** The folder of programs from images: npm puts it on the PATH of its scripts. */
const bin = new URL('../../node_modules/.bin/', import.meta.url).pathname;

const run = (command, args, options) => spawnSync(command, args, { stdio: 'ignore', ...options }).status === 0;
const onPath = (program) => run('sh', ['-c', `command -v ${program}`]);
// Debian installs each version of PostgreSQL outside of the PATH.
const postgresVersions = () => (existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : []);
const has = (program) =>
  onPath(program) ||
  existsSync(`/usr/sbin/${program}`) ||
  (program === 'postgres' &&
    postgresVersions().some((version) => existsSync(`/usr/lib/postgresql/${version}/bin/postgres`)));
const missing = () => servers.filter(({ program }) => !has(program));

if (missing().length > 0 && onPath('apt-get') && process.getuid?.() === 0) {
  const packages = missing().map((server) => server.package);
  console.log(`Installing for the tests: ${packages.join(', ')}`);
  // Packages must not start their services: the suites start private servers on free ports.
  const options = {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  };
  run('apt-get', ['update', '-qq'], options);
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options);
}

const withImage = missing().filter(({ image }) => image !== undefined);
if (withImage.length > 0 && process.platform === 'linux' && run('docker', ['info'])) {
  mkdirSync(bin, { recursive: true });
  for (const { program, image, path } of withImage) {
    console.log(`Taking ${program} out of the image ${image}`);
    const container = `cache-observability-${process.pid}`;
    // A copied program is a process of this machine, which the suites can freeze and kill; a container's would not be.
    if (run('docker', ['create', '--name', container, image])) {
      run('docker', ['cp', `${container}:${path}`, `${bin}${program}`]);
      run('docker', ['rm', '--force', container]);
    }
  }
}

if (process.argv.includes('--valkey') && !has('valkey-server') && onPath('apt-get') && onPath('dpkg')) takeValkey();

const still = missing().filter(({ program }) => !existsSync(`${bin}${program}`));
if (still.length > 0) {
  console.error(
    `The tests need ${still.map(({ program }) => program).join(', ')}. ` +
      `On Debian or Ubuntu: sudo apt-get install ${still.map((server) => server.package).join(' ')}. ` +
      'On macOS: brew install redis postgresql mariadb prometheus chromium.',
  );
  process.exit(1);
}

/**
 * Takes Valkey out of Debian's package, from the machine's sources or from backports, and installs nothing. If it is
 * not available, the suites that use it are skipped.
 */
function takeValkey() {
  const directory = mkdtempSync(join(tmpdir(), 'cache-observability-valkey-'));
  const limits = { cwd: directory, timeout: 7_000 };
  try {
    const [, release] = /^VERSION_CODENAME=(\w+)/m.exec(readFileSync('/etc/os-release', 'utf8')) ?? [];
    const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
    const backports = ['-o', `Dir::Etc::SourceList=${directory}/sources.list`, '-o', 'Dir::Etc::SourceParts=/dev/null'];
    backports.push('-o', `Dir::State::Lists=${directory}/lists`, '-o', `Dir::Cache=${directory}/cache`);
    let taken = run('apt-get', ['download', 'valkey-tools'], limits);
    if (!taken && release !== undefined && existsSync(keys)) {
      for (const folder of ['lists/partial', 'cache/archives/partial'])
        mkdirSync(join(directory, folder), { recursive: true });
      const source = `deb [signed-by=${keys}] http://deb.debian.org/debian ${release}-backports main\n`;
      writeFileSync(join(directory, 'sources.list'), source);
      taken =
        run('apt-get', [...backports, 'update', '-qq'], limits) &&
        run('apt-get', [...backports, 'download', 'valkey-tools'], limits);
    }
    const file = taken && readdirSync(directory).find((name) => name.endsWith('.deb'));
    if (!file || !run('dpkg', ['-x', file, 'files'], limits)) return;
    // One program under many names.
    const program = join(directory, 'files/usr/bin/valkey-check-rdb');
    const named = join(directory, 'valkey-server');
    copyFileSync(program, named);
    if (run(named, ['--version'], limits)) copyFileSync(named, `${bin}valkey-server`);
  } catch {
    // Not Debian.
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
