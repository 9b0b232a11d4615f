/** Where metrics are kept between two runs. Everything may reject. */
export interface MetricsStore {
  /** For the log. */
  readonly description: string;
  /** Undefined where nothing has been kept yet. */
  read(): Promise<Uint8Array | undefined>;
  write(image: Uint8Array): Promise<void>;
}
