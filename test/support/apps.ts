import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Server } from 'node:http';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import type { App } from 'supertest/types.js';
import supertest from 'supertest';

/** The HTTP platforms on which everything must behave the same. */
export const platforms = ['express', 'fastify'] as const;
export type Platform = (typeof platforms)[number];

export interface BootOptions {
  /** Before initialisation: prefix, versioning, global pipes … */
  configure?: (app: INestApplication) => void;
  override?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
  logger?: Parameters<TestingModuleBuilder['setLogger']>[0];
  /** For an application of several tests, which the suite closes: {@link closeApps} leaves it open. */
  keepOpen?: boolean;
}

export interface BootedApp {
  readonly app: INestApplication;
  /** Sends a request to the application over HTTP. */
  ask(): ReturnType<typeof supertest>;
  close(): Promise<void>;
}

const booted = new Set<INestApplication>();

/** An initialised application on a platform; {@link closeApps} closes what a test leaves open. */
export async function boot(
  platform: Platform,
  metadata: ModuleMetadata,
  { configure, override, logger, keepOpen = false }: BootOptions = {},
): Promise<BootedApp> {
  let builder = Test.createTestingModule(metadata);
  if (logger !== undefined) builder = builder.setLogger(logger);
  if (override !== undefined) builder = override(builder);
  const module = await builder.compile();
  const app = module.createNestApplication<INestApplication>(
    platform === 'express' ? new ExpressAdapter() : new FastifyAdapter(),
    logger === undefined ? { logger: false } : {},
  );
  configure?.(app);
  if (!keepOpen) booted.add(app);
  await app.init();
  if (platform === 'fastify') await (app as NestFastifyApplication).getHttpAdapter().getInstance().ready();
  return {
    app,
    ask: () => supertest(app.getHttpServer() as App),
    close: async () => {
      booted.delete(app);
      await app.close();
    },
  };
}

/** For `afterEach`. */
export async function closeApps(): Promise<void> {
  const apps = [...booted];
  booted.clear();
  await Promise.all(apps.map(closeWithConnections));
}

/** Closes an application. Browsers open connections without a request, for which its server would wait a minute. */
async function closeWithConnections(app: INestApplication): Promise<void> {
  const server = app.getHttpServer() as Server;
  const cutting = setInterval(() => server.closeAllConnections(), 1_000);
  await app.close().finally(() => clearInterval(cutting));
}
