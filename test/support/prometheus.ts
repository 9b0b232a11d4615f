import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort } from './redis.js';

/** One element of an instant vector. */
export interface PromSample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface PromExemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A Prometheus server for the test: it scrapes its targets every second and stores nothing. */
export class PrometheusServer {
  readonly #process: ChildProcess;
  readonly #directory: string;
  readonly #base: string;

  private constructor(child: ChildProcess, directory: string, port: number) {
    this.#process = child;
    this.#directory = directory;
    this.#base = `http://127.0.0.1:${port}`;
  }

  /**
   * @param targets `host:port` of each job; scraped at `/metrics`.
   * @param ruleFiles absolute paths.
   */
  static async start(
    targets: Readonly<Record<string, string>>,
    ruleFiles: readonly string[] = [],
  ): Promise<PrometheusServer> {
    const directory = mkdtempSync(join(tmpdir(), 'cache-prometheus-'));
    const file = join(directory, 'prometheus.yml');
    // JSON is YAML.
    writeFileSync(
      file,
      JSON.stringify({
        global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
        rule_files: ruleFiles,
        scrape_configs: Object.entries(targets).map(([job_name, target]) => ({
          job_name,
          static_configs: [{ targets: [target] }],
        })),
      }),
    );
    const port = await freePort();
    const child = spawn(
      'prometheus',
      [
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--enable-feature=exemplar-storage',
        '--log.level=warn',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += String(chunk)));
    child.once('error', (error) => (errors += error.message));
    const server = new PrometheusServer(child, directory, port);
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error(`prometheus ended with ${child.exitCode}: ${errors.slice(-2000)}`);
        return fetch(`${server.#base}/-/ready`).then(
          ({ ok }) => ok,
          () => false,
        );
      },
      'Prometheus is ready',
      20_000,
    );
    return server;
  }

  /** Runs an instant query. Rejects with Prometheus' error for an invalid query. */
  async query(expression: string): Promise<PromSample[]> {
    const { resultType, result } = await this.#get<{ resultType: string; result: unknown }>('query', {
      query: expression,
    });
    if (resultType === 'scalar') return [{ metric: {}, value: Number((result as [number, string])[1]) }];
    return (result as { metric: Record<string, string>; value: [number, string] }[]).map(({ metric, value }) => ({
      metric,
      value: Number(value[1]),
    }));
  }

  /** Returns the only number of a query's result, or undefined without a result. */
  async number(expression: string): Promise<number | undefined> {
    return (await this.query(expression))[0]?.value;
  }

  async exemplars(expression: string): Promise<PromExemplar[]> {
    const now = Date.now() / 1000;
    const found = await this.#get<{ exemplars: { labels: Record<string, string>; value: string }[] }[]>(
      'query_exemplars',
      { query: expression, start: String(now - 600), end: String(now + 60) },
    );
    return found.flatMap(({ exemplars }) => exemplars.map(({ labels, value }) => ({ labels, value: Number(value) })));
  }

  /** The state of each target by its job: `up`, or the reason. */
  async targets(): Promise<Record<string, string>> {
    const { activeTargets } = await this.#get<{
      activeTargets: { labels: { job: string }; health: string; lastError: string }[];
    }>('targets', {});
    return Object.fromEntries(
      activeTargets.map(({ labels, health, lastError }) => [labels.job, lastError === '' ? health : lastError]),
    );
  }

  /** Names of the loaded rules. */
  async rules(): Promise<string[]> {
    const { groups } = await this.#get<{ groups: { rules: { name: string }[] }[] }>('rules', {});
    return groups.flatMap(({ rules }) => rules.map(({ name }) => name));
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await exited;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #get<Data>(path: string, parameters: Readonly<Record<string, string>>): Promise<Data> {
    const response = await fetch(`${this.#base}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const answer = (await response.json()) as { status: string; data: Data; error?: string };
    if (answer.status !== 'success') throw new Error(`${JSON.stringify(parameters)}: ${answer.error}`);
    return answer.data;
  }
}
