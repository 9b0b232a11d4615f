import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import * as common from '@nestjs/common';
import { type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as library from 'nestjs-cache-observability';
import ts from 'typescript';
import { type Platform, platforms } from '../support/apps.js';

const readme = readFileSync('README.md', 'utf8');
const [, code] = /## Quick start\n.*?```ts\n(.*?)```/s.exec(readme)!;
const commands = [...readme.matchAll(/^curl (.*)$/gm)].map(([, command]) => command!);

let app: INestApplication | undefined;

/** Runs the code as documented, with the adapter that README names, but on a free port and without a log. */
async function run(platform: Platform): Promise<INestApplication> {
  const { outputText } = ts.transpileModule(code!.replace('listen(3000)', "listen(0, '127.0.0.1')"), {
    compilerOptions: {
      module: ts.ModuleKind.CommonJS,
      target: ts.ScriptTarget.ES2022,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    },
  });
  return new Promise((resolve, reject) => {
    const create = async (module: common.Type) => {
      const options = { logger: false, abortOnError: false } as const;
      const made: INestApplication =
        platform === 'express'
          ? await NestFactory.create(module, options)
          : await NestFactory.create(module, new FastifyAdapter(), options);
      (made.getHttpServer() as Server).once('listening', () => resolve(made));
      return made;
    };
    const modules: Record<string, unknown> = {
      '@nestjs/common': common,
      '@nestjs/core': { NestFactory: { create: (module: common.Type) => create(module).catch(reject) } },
      'nestjs-cache-observability': library,
    };
    new Function('require', 'exports', outputText)((name: string) => modules[name], {});
  });
}

/** Sends the request that curl would, with this path and method. */
async function curl(command: string) {
  const [, options = '', path = '', said = ''] = /^(-\S+ (?:POST )?)?localhost:3000(\/\S*)\s*(?:# (.*))?$/.exec(
    command,
  )!;
  const response = await fetch(`${await app!.getUrl()}${path}`, { method: options.includes('POST') ? 'POST' : 'GET' });
  return { path, said, status: response.status, xCache: response.headers.get('x-cache'), body: await response.text() };
}

describe.each(platforms)('the quick start of README on %s', (platform) => {
  beforeAll(async () => {
    app = await run(platform);
  });
  afterAll(() => app?.close());

  it('the quick start responds as README says', async () => {
    const answers = [];
    for (const command of commands) answers.push(await curl(command));

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 201, 200, 200, 200, 200, 200]);
    const products = answers.filter(({ xCache }) => xCache !== null);
    expect(products.map(({ xCache }) => xCache)).toEqual(['MISS', 'HIT', 'MISS']);
    for (const { said, xCache } of products) expect(said).toContain(`X-Cache: ${xCache}`);
    expect(products[1]!.body).toBe(products[0]!.body);
    expect(products[2]!.body).not.toBe(products[0]!.body);

    const stats = answers.find(({ path }) => path === '/cache/stats')!;
    const [beginning, rate] = stats.said.split(',…,');
    expect(stats.body.startsWith(beginning!)).toBe(true);
    expect(stats.body).toContain(rate!.replace(/,…}$/, ''));
  });
});
