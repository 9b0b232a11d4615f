import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Answered, Ask, Asked, ToProcess } from './process/messages.js';

const script = (name: string) => fileURLToPath(new URL(`./process/${name}`, import.meta.url));

/** Another process with a cache over a Redis, for tests across processes. */
export class CacheProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #id = 0;

  private constructor(child: ChildProcess, origin: (key: string) => number) {
    this.#child = child;
    child.on('message', (message: Answered | Asked) => {
      if (message.kind === 'asked') {
        this.#send({ kind: 'version', question: message.question, version: origin(message.key) });
        return;
      }
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.error === undefined) waiting?.resolve(message.value);
      else waiting?.reject(new Error(message.error));
    });
    child.on('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`The process ended with ${code}.`));
    });
  }

  /**
   * @param origin returns the current version of a key, for loads.
   * @param skewMs the difference between its clock and ours.
   */
  static async start(url: string, origin: (key: string) => number, skewMs = 0): Promise<CacheProcess> {
    const child = fork(script('cache-process.ts'), [url, String(skewMs)], {
      execArgv: ['--disable-warning=ExperimentalWarning', '--import', script('typescript.mjs')],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const process = new CacheProcess(child, origin);
    await process.#answer(0);
    return process;
  }

  ask(what: Ask['what'], ask: Partial<Ask> = {}): Promise<unknown> {
    const id = ++this.#id;
    const whole: Ask = { what, through: 'memory', key: '', tags: [], version: 0, pauseMs: 0, ...ask };
    this.#send({ kind: 'ask', id, ask: whole });
    return this.#answer(id);
  }

  async dispose(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }

  #answer(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #send(message: ToProcess): void {
    this.#child.send(message);
  }
}
