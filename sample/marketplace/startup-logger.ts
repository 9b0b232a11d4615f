import { ConsoleLogger } from '@nestjs/common';

/** Nest's own, but for the stack of what kept the application from starting: that is said once, in words, where it ends. */
export class StartupLogger extends ConsoleLogger {
  override error(message: unknown, ...rest: unknown[]): void {
    if (rest.at(-1) !== 'ExceptionHandler') super.error(message, ...rest);
  }
}
