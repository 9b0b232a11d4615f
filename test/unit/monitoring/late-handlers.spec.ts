import { expect, it, jest } from '@jest/globals';

/** Handlers whose code fails to load so often. */
async function handlersThatFail(failures: number) {
  let loads = 0;
  const close = jest.fn();
  jest.unstable_mockModule('../../../lib/monitoring/route-handlers.js', () => {
    if (++loads <= failures) throw new Error('EMFILE');
    return {
      RouteHandlers: class {
        close = close;
      },
    };
  });
  jest.resetModules();
  const { LateHandlers } = await import('../../../lib/monitoring/late-handlers.js');
  const none = {} as never;
  return { handlers: new LateHandlers(none, none, none, none, none, none, none, none, none), close };
}

it('a request loads the code of the routes again after a load failed', async () => {
  const { handlers } = await handlersThatFail(1);
  await expect(handlers.loaded()).rejects.toThrow('EMFILE');
  await expect(handlers.loaded()).resolves.toBeDefined();
});

it('the shutdown ends although the code of the routes cannot be loaded', async () => {
  const { handlers } = await handlersThatFail(Infinity);
  const refused = expect(handlers.loaded()).rejects.toThrow('EMFILE');
  await expect(handlers.onModuleDestroy()).resolves.toBeUndefined();
  await refused;
});

it('the shutdown closes what is loaded, also while it is being loaded', async () => {
  const { handlers, close } = await handlersThatFail(0);
  const loading = handlers.loaded();
  await handlers.onModuleDestroy();
  await loading;
  expect(close).toHaveBeenCalled();
});
