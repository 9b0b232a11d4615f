import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { eventually, freePort } from './redis.js';
import { directoryOf, findProgram, serverAccount } from './server-account.js';

/** A MariaDB server for the test, on a free port, as an unprivileged user, without durability. */
export class MariadbServer {
  readonly #process: ChildProcess;
  readonly #directory: string;

  private constructor(
    readonly port: number,
    process: ChildProcess,
    directory: string,
  ) {
    this.#process = process;
    this.#directory = directory;
  }

  static async start(): Promise<MariadbServer> {
    const account = serverAccount('mysql');
    const directory = directoryOf(account, 'cache-mariadb-');
    const data = join(directory, 'data');
    const port = await freePort();
    const made = spawnSync(
      findProgram('mariadb-install-db', 'mysql_install_db'),
      ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'],
      { ...account, cwd: directory, encoding: 'utf8' },
    );
    if (made.status !== 0) throw new Error(`mariadb-install-db: ${made.stdout}${made.stderr}`);
    const child = spawn(
      findProgram('mariadbd', 'mysqld'),
      [
        '--no-defaults',
        `--datadir=${data}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        `--socket=${join(directory, 'socket')}`,
        `--pid-file=${join(directory, 'pid')}`,
        '--innodb-flush-log-at-trx-commit=0',
        '--innodb-buffer-pool-size=16M',
        '--skip-log-bin',
      ],
      { ...account, cwd: directory, stdio: 'ignore' },
    );
    const server = new MariadbServer(port, child, directory);
    await eventually(() => server.#answers(), 'MariaDB answers', 60_000);
    return server;
  }

  get connection(): { host: string; port: number; user: string; database: string } {
    return { host: '127.0.0.1', port: this.port, user: 'root', database: 'mysql' };
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null) {
      this.#process.kill('SIGKILL');
      await once(this.#process, 'exit');
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #answers(): Promise<boolean> {
    if (this.#process.exitCode !== null) throw new Error(`MariaDB ended with code ${this.#process.exitCode}`);
    try {
      await (await createConnection(this.connection)).end();
      return true;
    } catch {
      return false;
    }
  }
}
