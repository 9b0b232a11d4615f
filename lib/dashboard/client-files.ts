import { brotliDecompressSync, gzipSync } from 'node:zlib';
import { Injectable } from '@nestjs/common';
import type { PackedAsset } from './client-assets.js';

type Encoding = 'br' | 'gzip' | 'identity';

/** A file in an encoding that the browser accepts. */
export interface ClientFile {
  readonly type: string;
  readonly encoding: Encoding;
  readonly bytes: Buffer;
}

/** Returns the files of the client. The first request loads them, and each encoding of a file is made once. */
@Injectable()
export class ClientFiles {
  readonly #files = new Map<string, Buffer>();

  async page(): Promise<string> {
    return (await load()).page;
  }

  /** Returns undefined for an unknown name. @param accepted the request's `Accept-Encoding`. */
  async find(name: string, accepted: string): Promise<ClientFile | undefined> {
    const { assets } = await load();
    if (!Object.hasOwn(assets, name)) return undefined;
    const encoding = preferred(accepted);
    const asset = assets[name]!;
    return { type: asset.type, encoding, bytes: this.#bytesOf(name, asset, encoding) };
  }

  #bytesOf(name: string, asset: PackedAsset, encoding: Encoding): Buffer {
    const id = `${name} ${encoding}`;
    let bytes = this.#files.get(id);
    if (bytes === undefined) this.#files.set(id, (bytes = encoded(Buffer.from(asset.br, 'base64'), encoding)));
    return bytes;
  }
}

/** The compiled client, part of the package. */
const load = () => import('./client-assets.js');

function encoded(br: Buffer, encoding: Encoding): Buffer {
  if (encoding === 'br') return br;
  const bytes = brotliDecompressSync(br);
  return encoding === 'gzip' ? gzipSync(bytes, { level: 9 }) : bytes;
}

/**
 * Returns the first available encoding that the request accepts; `q=0` refuses an encoding. @param made the available
 * encodings, smallest first.
 */
export function preferred(accepted: string, made: readonly Encoding[] = ['br', 'gzip']): Encoding {
  const codings = accepted.toLowerCase().split(',');
  const takes = (name: string) =>
    codings.some((coding) => {
      const [token, ...parameters] = coding.split(';').map((part) => part.trim());
      return token === name && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    });
  return made.find(takes) ?? 'identity';
}
