import { NestFactory } from '@nestjs/core';
import type { INestApplication, LoggerService } from '@nestjs/common';
import { MarketplaceModule } from './marketplace.module.js';
import type { Settings } from './settings.js';

/** The application, ready to listen, on the HTTP adapter that the settings name. */
export async function createMarketplace(settings: Settings, logger?: LoggerService | false): Promise<INestApplication> {
  const module = MarketplaceModule.with(settings);
  // Open event streams must not hold up a shutdown. Errors reach the caller instead of ending the process.
  const options = { forceCloseConnections: true, abortOnError: false, ...(logger === undefined ? {} : { logger }) };
  if (settings.adapter === 'express') return NestFactory.create(module, options);
  const { FastifyAdapter } = await import('@nestjs/platform-fastify');
  return NestFactory.create(module, new FastifyAdapter(), options);
}
