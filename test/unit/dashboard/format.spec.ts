import { expect, it } from '@jest/globals';
import { moment } from '../../../lib/dashboard/client/format.js';

const HOUR = 3_600_000;
const day = (at: number) => new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' }).format(at);

it('a moment of another day has its date, before now and after it', () => {
  for (const hours of [-72, -13, 13, 72]) {
    const at = Date.now() + hours * HOUR;
    expect(moment(at)).toContain(day(at));
  }
  for (const hours of [-11, 0, 11])
    expect(moment(Date.now() + hours * HOUR)).not.toContain(String(new Date().getFullYear()));
});
