import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The account of a server: database servers refuse to run as root. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * If the tests run as root: the account that a package created for its server, else `nobody`. Otherwise the current
 * account.
 */
export function serverAccount(name: string): Account {
  if (process.getuid?.() !== 0) return {};
  const id = (user: string, flag: string): number | undefined => {
    const { status, stdout } = spawnSync('id', [flag, user], { encoding: 'utf8' });
    return status === 0 ? Number(stdout) : undefined;
  };
  const user = id(name, '-u') === undefined ? 'nobody' : name;
  return { uid: id(user, '-u')!, gid: id(user, '-g')! };
}

/** Creates a directory that the account owns. */
export function directoryOf(account: Account, prefix: string): string {
  const directory = mkdtempSync(join(tmpdir(), prefix));
  if (account.uid !== undefined) chownSync(directory, account.uid, account.gid!);
  return directory;
}

/** The path of a program: on the PATH, in /usr/sbin, or in Debian's folder of PostgreSQL, newest first. */
export function findProgram(...names: readonly string[]): string {
  const roots = ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt'].filter((root) => existsSync(root));
  const packaged = roots.flatMap((root) =>
    readdirSync(root)
      .sort((a, b) => b.localeCompare(a, undefined, { numeric: true }))
      .map((version) => join(root, version, 'bin')),
  );
  const places = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', ...packaged];
  for (const name of names) {
    const place = places.find((directory) => existsSync(join(directory, name)));
    if (place !== undefined) return join(place, name);
  }
  throw new Error(`${names.join(' or ')}: not found; node test/support/prepare.mjs installs it`);
}
