import assert from 'node:assert/strict';
import type { AddressInfo, Server } from 'node:net';
import { Controller, type INestApplication, type INestMicroservice, Module } from '@nestjs/common';
import { type ClientProxy, ClientProxyFactory, MessagePattern, Payload, Transport } from '@nestjs/microservices';
import { Cached } from 'nestjs-cache-observability';
import { lastValueFrom } from 'rxjs';

let calls = 0;

@Controller()
class Sums {
  @MessagePattern('sum')
  @Cached('sum:*')
  sum(@Payload() numbers: number[]) {
    return { sum: numbers.reduce((one, other) => one + other, 0), call: ++calls };
  }
}

@Module({ controllers: [Sums] })
export class Rpc {}

export async function startRpc(app: INestApplication): Promise<INestMicroservice> {
  const service = app.connectMicroservice({ transport: Transport.TCP, options: { host: '127.0.0.1', port: 0 } });
  await app.startAllMicroservices();
  return service;
}

/** Two messages, one call of the handler. */
export async function askRpc(service: INestMicroservice) {
  const { port } = service.unwrap<Server>().address() as AddressInfo;
  const client: ClientProxy = ClientProxyFactory.create({
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port },
  });
  for (let time = 0; time < 2; time++) {
    assert.deepEqual(await lastValueFrom(client.send<unknown>('sum', [1, 2])), { sum: 3, call: 1 });
  }
  client.close();
}
