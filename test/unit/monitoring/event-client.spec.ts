import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { EventClient } from '../../../lib/monitoring/event-client.js';

it('an event client that does not read is disconnected before its events fill the memory', async () => {
  let gone = false;
  let response!: ServerResponse;
  let client!: EventClient;
  const server = createServer((_request, answer) => {
    response = answer;
    client = new EventClient(answer, {}, () => (gone = true));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  socket.on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(server, 'request');

  const frame = 'x'.repeat(64 * 1024);
  let most = 0;
  for (let sent = 0; sent < 2_000 && !gone; sent++) {
    client.send(frame);
    most = Math.max(most, response.writableLength);
    await turn();
  }
  expect(gone).toBe(true);
  expect(most).toBeLessThan(2 * 1024 * 1024);
  client.send('to nobody');
  socket.destroy();
  server.close();
});
