import { expect, it, jest } from '@jest/globals';

it('the description of the routes is loaded only with monitoring.swagger', async () => {
  const describeRoutes = jest.fn(async () => undefined);
  let loaded = 0;
  jest.unstable_mockModule('../../../lib/monitoring/openapi-routes.js', () => {
    loaded++;
    return { describeRoutes };
  });
  const { CacheObservabilityModule } = await import('../../../lib/index.js');
  const { boot } = await import('../../support/apps.js');
  const start = (swagger: boolean) =>
    boot('express', { imports: [CacheObservabilityModule.forRoot({ monitoring: { swagger }, prometheus: false })] });

  await (await start(false)).close();
  expect(loaded).toBe(0);
  await (await start(true)).close();
  expect(loaded).toBe(1);
  expect(describeRoutes).toHaveBeenCalledTimes(1);
});
