/** A server refused a write because it came later than anyone waits for it: what had been asked for after it may be there by now. */
export class OverdueWrite extends Error {
  override readonly name = 'OverdueWrite';

  constructor() {
    super('A write came to its server after the deadline, which refused it.');
  }
}
