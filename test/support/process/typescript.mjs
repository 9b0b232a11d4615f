// For `node --import`: runs the TypeScript sources in a separate process.
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
