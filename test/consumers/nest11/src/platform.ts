import type { INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

/** Express, which Nest takes by itself. */
export const create = (module: Type): Promise<INestApplication> =>
  NestFactory.create(module, { logger: ['error', 'warn'] });
