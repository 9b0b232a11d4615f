import { describe, expect, it } from '@jest/globals';
import { CacheError } from '../../../lib/cache/errors.js';
import { toldError } from '../../../lib/cache/told-error.js';

function thrownHere(error: Error): Error {
  return error;
}

describe('what is said of an error', () => {
  it('is the message of one of ours', () => {
    expect(toldError(new CacheError('CACHE_CLOSED', 'The cache is closed.'))).toBe('The cache is closed.');
  });

  it('is the name, code and place of any other, never its message', () => {
    const error = thrownHere(Object.assign(new TypeError("key (email)=(jo@shop.test) 'hunter2'"), { code: '23505' }));
    expect(toldError(error)).toMatch(/^TypeError 23505 at (\S+ \()?told-error\.spec\.ts:\d+\)?$/);
  });

  it('takes no message for a place, a name or a code', () => {
    const posing = new Error('x\n    at secret (hunter2.js:1:1)');
    expect(toldError(posing)).not.toContain('hunter2');
    const named = Object.assign(new Error('m'), { name: 'hunter 2', code: 'pass word' });
    expect(toldError(named)).toMatch(/^Error( at |$)/);
    expect(toldError(Object.assign(new Error('m'), { stack: undefined }))).toBe('Error');
    expect(toldError(Object.assign(new Error('hunter2'), { stack: 'rewritten: hunter2\n    at a (b.js:1:2)' }))).toBe(
      'Error at a (b.js:1)',
    );
  });

  it('is nothing of what is no error', () => {
    expect(toldError('hunter2')).toBe('something that is no Error was thrown');
  });
});
