import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MAX_IMAGE_BYTES } from '../metrics/ledger/image.js';
import { ImageFault } from '../metrics/images/image-bytes.js';
import type { MetricsStore } from './metrics-store.js';

/** Metrics in a file: written beside it, flushed and renamed, so that it is the old one or the new one and never half of one. */
export class FileStore implements MetricsStore {
  readonly description: string;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.description = `the file ${path}`;
  }

  async read(): Promise<Uint8Array | undefined> {
    try {
      // Whatever is there: a large file is not read, and only a file has a size.
      const found = await stat(this.#path);
      const { size } = found;
      if (!found.isFile()) throw new ImageFault('It is not a file.');
      if (size > MAX_IMAGE_BYTES) throw new ImageFault(`They take ${size} bytes, more than ${MAX_IMAGE_BYTES}.`);
      return await readFile(this.#path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async write(image: Uint8Array): Promise<void> {
    const beside = `${this.#path}.${process.pid}.tmp`;
    await mkdir(dirname(this.#path), { recursive: true });
    try {
      const file = await open(beside, 'w', 0o600);
      try {
        await file.writeFile(image);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(beside, this.#path);
    } catch (error) {
      await rm(beside, { force: true }).catch(() => undefined);
      throw error;
    }
  }
}
