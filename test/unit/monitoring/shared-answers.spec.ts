import { describe, expect, it } from '@jest/globals';
import { maxAgeOf, SharedAnswers } from '../../../lib/monitoring/shared-answers.js';

const old = (maxAge: string | undefined) => maxAgeOf(maxAge === undefined ? {} : { 'cache-control': maxAge }) ?? 0;

describe('shared answers', () => {
  const counting = () => {
    let made = 0;
    const answers = new SharedAnswers();
    const ask = (address: string, maxAge?: string) =>
      answers.answer(address, old(maxAge), async () => ({ text: `${address} ${++made}` })).then(({ text }) => text);
    return { ask, made: () => made };
  };

  it.each([undefined, 'no-cache', 'max-age=0', 'max-age=x', 'xmax-age=5', 'max-age=-1'])(
    'a response is computed for each request with Cache-Control: %s',
    async (maxAge) => {
      const { ask, made } = counting();
      await Promise.all([ask('/stats', maxAge), ask('/stats', maxAge)]);
      expect(made()).toBe(2);
    },
  );

  it.each(['max-age=3', 'no-transform, Max-Age=3'])(
    'one response is computed for all requests with %s',
    async (maxAge) => {
      const { ask, made } = counting();
      const texts = await Promise.all(Array.from({ length: 100 }, () => ask('/stats?window=5m', maxAge)));
      expect([new Set(texts).size, made()]).toEqual([1, 1]);
      await ask('/stats?window=1h', maxAge);
      expect(made()).toBe(2);
    },
  );

  it('shared responses are bounded: old URLs are forgotten, long URLs are not stored', async () => {
    const { ask, made } = counting();
    for (let n = 0; n < 100; n++) await ask(`/stats?x=${n}`, 'max-age=9');
    await ask('/stats?x=99', 'max-age=9');
    expect(made()).toBe(100);
    await ask('/stats?x=0', 'max-age=9');
    expect(made()).toBe(101);
    for (let time = 0; time < 2; time++) await ask(`/stats?x=${'x'.repeat(2_000)}`, 'max-age=9');
    expect(made()).toBe(103);
  });

  it('a shared response is computed again after it failed', async () => {
    const answers = new SharedAnswers();
    const failing = async () => Promise.reject(new Error('away'));
    await expect(answers.answer('/stats', old('max-age=9'), failing)).rejects.toThrow('away');
    expect(await answers.answer('/stats', old('max-age=9'), async () => ({ text: 'there' }))).toMatchObject({
      text: 'there',
    });
  });
});
