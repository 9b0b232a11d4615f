import { describe, expect, it } from '@jest/globals';
import { PatternDetector, patternOfTemplate } from '../../../lib/metrics/recording/pattern-detector.js';

describe('PatternDetector', () => {
  it.each([
    ['user:42:cart', 'user:*:cart'],
    ['user:0b7e6f6a-58f3-4c47-a9f3-3c5f6f2b6c11', 'user:*'],
    ['session:9f86d081884c7d659a2feaa0c55ad015', 'session:*'],
    ['/feeds/42', '/feeds/*'],
    ['/feeds/42?page=2&sort=new', '/feeds/*?page=*&sort=new'],
    ['token:eyJhbGciOiJIUzI1NiJ9abc123', 'token:*'],
    ['user:jane@example.com', 'user:*'],
    ['day:2026-11-20', 'day:*'],
    ['report:2026-11-20T10:00:00.000Z', 'report:*:*:*'],
    ['user-42', 'user-*'],
    ['order_1001_lines', 'order_*_lines'],
    ['price:-12.5', 'price:*'],
    ['host:10.0.0.1', 'host:*'],
    ['product:~42', 'product:*'],
    ["product:'42'", 'product:*'],
    ['feed:discover', 'feed:discover'],
    ['api:v1:feeds', 'api:v1:feeds'],
    ['recommended-products-of-the-week', 'recommended-products-of-the-week'],
    ['42', '*'],
    ['', '*'],
  ])('%s → %s', (key, pattern) => {
    expect(new PatternDetector().patternOf(key)).toBe(pattern);
  });

  it('takes what patternOf says unless it says nothing', () => {
    const detector = new PatternDetector({ patternOf: (key) => (key === 'a' ? 'A' : key === 'b' ? '' : undefined) });
    expect(['a', 'b', 'c:1'].map((key) => detector.patternOf(key))).toEqual(['A', 'b', 'c:*']);
  });

  it('leaves a declared pattern as it is and replaces every input of a template', () => {
    expect(patternOfTemplate('feed:*')).toBe('feed:*');
    expect(patternOfTemplate('a:{params.id}:{query.page}')).toBe('a:*:*');
  });
});
