/** Thrown if a server refused a write because it arrived after the deadline. Later operations may already have been applied. */
export class OverdueWrite extends Error {
  override readonly name = 'OverdueWrite';

  constructor() {
    super('A write reached its server after the deadline, and the server refused it.');
  }
}
