import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { CacheObservabilityModule } from 'nestjs-cache-observability';
import { askGraphQL, Graph } from './graphql.js';
import { askHttp, Http } from './http.js';
import { askRpc, Rpc, startRpc } from './rpc.js';
import { askWebSocket, Sockets, socketAdapter } from './websocket.js';
import { create } from './platform.js';

@Module({
  imports: [CacheObservabilityModule.forRoot({ prometheus: { defaultMetrics: false } }), Http, Graph, Rpc, Sockets],
})
class AppModule {}

async function main() {
  const app = await create(AppModule);
  app.useWebSocketAdapter(socketAdapter(app));
  const service = await startRpc(app);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  await askHttp(app, url);
  await askGraphQL(url);
  await askRpc(service);
  await askWebSocket(url);
  await app.close();
  console.log('ok');
}
void main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
