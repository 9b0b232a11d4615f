import assert from 'node:assert/strict';
import { type INestApplication, Module } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Cached } from 'nestjs-cache-observability';
import { WebSocket } from 'ws';

let calls = 0;

@WebSocketGateway()
class Rates {
  @SubscribeMessage('rate')
  @Cached('rate:*')
  rate(@MessageBody('currency') currency: string) {
    return { event: 'rate', data: { currency, call: ++calls } };
  }
}

@Module({ providers: [Rates] })
export class Sockets {}

export const socketAdapter = (app: INestApplication) => new WsAdapter(app);

/** Two messages, one call of the handler. */
export async function askWebSocket(url: string) {
  const socket = new WebSocket(url.replace('http', 'ws'));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  for (let time = 0; time < 2; time++) {
    const answer = new Promise<string>((resolve) => socket.once('message', (data: unknown) => resolve(String(data))));
    socket.send(JSON.stringify({ event: 'rate', data: { currency: 'EUR' } }));
    assert.deepEqual(JSON.parse(await answer), { event: 'rate', data: { currency: 'EUR', call: 1 } });
  }
  socket.close();
}
