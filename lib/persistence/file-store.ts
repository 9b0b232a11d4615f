import type { Stats } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MAX_DUMP_BYTES } from '../metrics/state/metrics-dump.js';
import { DumpFault } from '../metrics/dumps/dump-bytes.js';
import type { MetricsStore } from './metrics-store.js';

/** Stores metrics in a file. Each write makes a temporary file, flushes and renames it, so that a crash leaves a complete file. */
export class FileStore implements MetricsStore {
  readonly description: string;
  readonly #path: string;
  /** The identity of the file that this process wrote last. */
  #written: string | undefined;

  constructor(path: string) {
    this.#path = path;
    this.description = `the file ${path}`;
  }

  async read(): Promise<Uint8Array | undefined> {
    try {
      // Check type and size first: a device has no size, and a huge file must not be read.
      const found = await stat(this.#path);
      const { size } = found;
      if (!found.isFile()) throw new DumpFault('The path is not a regular file.');
      if (size > MAX_DUMP_BYTES) throw new DumpFault(`The file has ${size} bytes, more than ${MAX_DUMP_BYTES}.`);
      return await readFile(this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async write(dump: Uint8Array): Promise<void> {
    const beside = `${this.#path}.${process.pid}.tmp`;
    await mkdir(dirname(this.#path), { recursive: true });
    try {
      const file = await open(beside, 'w', 0o600);
      try {
        await file.writeFile(dump);
        await file.sync();
        this.#written = identityOf(await file.stat());
      } finally {
        await file.close();
      }
      await rename(beside, this.#path);
    } catch (error) {
      await rm(beside, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  async isOwn(): Promise<boolean> {
    if (this.#written === undefined) return true;
    const found = await stat(this.#path).catch(() => undefined);
    return found === undefined || identityOf(found) === this.#written;
  }
}

/** Returns the identity of a file: each write makes a new one. */
function identityOf({ ino, mtimeMs }: Stats): string {
  return `${ino} ${mtimeMs}`;
}
