import { NestFactory } from '@nestjs/core';
import type { INestApplication, Type } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';

/** An application on the platform that the command line names. */
export async function create(module: Type): Promise<INestApplication> {
  const adapter = process.argv[2] === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
  return NestFactory.create<INestApplication>(module, adapter, { logger: ['error', 'warn'] });
}
