import 'reflect-metadata';
import { createMarketplace } from './marketplace.js';
import { readSettings, setNodeEnv } from './settings.js';
import { StartupLogger } from './startup-logger.js';
import { welcome } from './welcome/welcome.js';

try {
  setNodeEnv(process.env);
  const settings = readSettings(process.env);
  const app = await createMarketplace(settings, new StartupLogger());
  app.enableShutdownHooks(['SIGINT', 'SIGTERM']);
  await app.listen(settings.port);
  console.log(welcome(`http://localhost:${new URL(await app.getUrl()).port || settings.port}`));
} catch (error) {
  console.error(`The marketplace cannot open: ${reason(error)}`);
  process.exit(1);
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'EADDRINUSE') {
    return 'the port is taken by another process; choose one with PORT=3001 npm start.';
  }
  const cause = error.cause instanceof Error ? ` (${error.cause.message || error.cause.name})` : '';
  return `${error.message}${cause}`;
}
