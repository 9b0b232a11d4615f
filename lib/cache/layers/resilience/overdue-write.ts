/** Thrown when a server refused a write that arrived too late: later operations may have been applied by then. */
export class OverdueWrite extends Error {
  override readonly name = 'OverdueWrite';

  constructor() {
    super('A write came to its server after the deadline, which refused it.');
  }
}
