// PostgreSQL compiled to WebAssembly, in a thread of its own: like a server beside the application, its queries never
// hold up the application's event loop. It speaks PostgreSQL's wire protocol in messages from and to its parent.
import { parentPort } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';

const database = await PGlite.create();
let last = Promise.resolve();
parentPort.on('message', (request) => {
  last = last.then(async () => {
    try {
      parentPort.postMessage(await database.execProtocolRaw(request));
    } catch (error) {
      parentPort.postMessage(String(error));
    }
  });
});
