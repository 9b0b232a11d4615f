import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { eventually, freePort } from './redis.js';
import { directoryOf, findProgram, serverAccount } from './server-account.js';

/** A PostgreSQL server for the test, on a free port, as an unprivileged user, without durability. */
export class PostgresServer {
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

  static async start(): Promise<PostgresServer> {
    const account = serverAccount('postgres');
    const directory = directoryOf(account, 'cache-postgres-');
    const data = join(directory, 'data');
    const port = await freePort();
    const made = spawnSync(
      findProgram('initdb'),
      ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale', 'C'],
      { ...account, cwd: directory, encoding: 'utf8' },
    );
    if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
    const settings = { fsync: 'off', full_page_writes: 'off', listen_addresses: '127.0.0.1', max_connections: '40' };
    const child = spawn(
      findProgram('postgres'),
      [
        '-D',
        data,
        '-p',
        String(port),
        '-k',
        directory,
        ...Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`]),
      ],
      { ...account, cwd: directory, stdio: 'ignore' },
    );
    const server = new PostgresServer(port, child, directory);
    await eventually(() => server.#answers(), 'PostgreSQL answers', 30_000);
    return server;
  }

  get connection(): { host: string; port: number; user: string; database: string } {
    return { host: '127.0.0.1', port: this.port, user: 'postgres', database: 'postgres' };
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null) {
      this.#process.kill('SIGQUIT');
      await once(this.#process, 'exit');
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #answers(): Promise<boolean> {
    if (this.#process.exitCode !== null) throw new Error(`PostgreSQL ended with code ${this.#process.exitCode}`);
    const client = new pg.Client(this.connection);
    client.on('error', () => undefined);
    try {
      await client.connect();
      return true;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
