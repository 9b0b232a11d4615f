// Suites that kill, freeze and cut real servers share their machine with whatever else runs on it: what fails there once is tried
// once more, and the first failure is printed all the same. Everything else gets one try.
import { expect, jest } from '@jest/globals';

if (/[\\/]test[\\/]faults[\\/]/.test(expect.getState().testPath ?? '')) {
  jest.retryTimes(1, { logErrorsBeforeRetry: true });
}
