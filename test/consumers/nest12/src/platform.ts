import type { INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

export const create = (module: Type): Promise<INestApplication> =>
  NestFactory.create(module, new FastifyAdapter(), { logger: ['error', 'warn'] });
