import { inspect } from 'node:util';

/** One entry of the log. Its own properties are its fields. If inspected, as by Nest's ConsoleLogger, it becomes a line of text. */
export class LogEntry {
  readonly [field: string]: unknown;

  constructor(
    readonly code: string,
    readonly message: string,
    details: Readonly<Record<string, unknown>> = {},
  ) {
    Object.assign(this, details, { code, message });
  }

  /** Returns `[CODE] message field=value`. Leaves out fields whose values the message already contains. */
  [inspect.custom](): string {
    const fields = Object.entries(this)
      .filter(([name, value]) => name !== 'code' && name !== 'message' && !this.message.includes(String(value)))
      .map(([name, value]) => `${name}=${String(value)}`);
    return [`[${this.code}]`, this.message, ...fields].join(' ');
  }
}
