import { expect, it } from '@jest/globals';
import { redactedMessage } from '../../../../../lib/cache/base/redacted-error.js';
import { explainFailure } from '../../../../../lib/cache/layers/redis/redis-failure.js';

it('a command that was unanswered when the connection was closed is explained', () => {
  class DisconnectsClientError extends Error {}
  const error = new DisconnectsClientError('Disconnects client');
  explainFailure(error, "The server of layer 'redis'");
  expect(redactedMessage(error)).toBe(
    "The server of layer 'redis' had not answered when this process closed the connection. Check that its server runs.",
  );
});
