/** A file of the client, compressed with Brotli, in base64. */
export interface PackedAsset {
  readonly type: string;
  readonly br: string;
}

/** The page: it holds no data, and names its files relative to its own address. */
export declare const page: string;

/** By file name, which holds a hash of the content. */
export declare const assets: Readonly<Record<string, PackedAsset>>;
