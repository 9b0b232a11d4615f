import { describe, expect, it } from '@jest/globals';
import { present } from '../../../lib/monitoring/presenter.js';

describe('the presenter', () => {
  it('present() converts the fields of objects and of lists of objects to snake_case', () => {
    expect(present({ totalRequests: 1, layers: [{ p95ResponseTimeMs: 2.5, circuitState: 'half_open' }] })).toEqual({
      total_requests: 1,
      layers: [{ p95_response_time_ms: 2.5, circuit_state: 'half_open' }],
    });
  });

  it('present() does not change windows, values and null', () => {
    expect(present({ overall: { '24h': null, all: 0.5 }, pattern: 'userProfile:*' })).toEqual({
      overall: { '24h': null, all: 0.5 },
      pattern: 'userProfile:*',
    });
  });
});
