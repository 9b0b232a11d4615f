// Suites that kill, freeze and cut real servers share their machine with other work: a failed test of theirs runs once
// more, and the first failure is printed. Tests of other suites run once.
import { expect, jest } from '@jest/globals';

if (/[\\/]test[\\/]faults[\\/]/.test(expect.getState().testPath ?? '')) {
  jest.retryTimes(1, { logErrorsBeforeRetry: true });
}
