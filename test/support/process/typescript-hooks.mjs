import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';

/** The package's own name, as the sample imports it, resolves to its sources, not to the last build. */
const entries = {
  'nestjs-cache-observability': 'index.ts',
  'nestjs-cache-observability/otel': 'exporters/otel/index.ts',
  'nestjs-cache-observability/statsd': 'exporters/statsd/index.ts',
  'nestjs-cache-observability/cloudwatch': 'exporters/cloudwatch/index.ts',
  'nestjs-cache-observability/database': 'database/index.ts',
  'nestjs-cache-observability/testing': 'testing/index.ts',
};

export async function resolve(specifier, context, nextResolve) {
  if (specifier in entries)
    return nextResolve(new URL(`../../../lib/${entries[specifier]}`, import.meta.url).href, context);
  try {
    return await nextResolve(specifier, context);
  } catch (error) {
    if (!specifier.endsWith('.js')) throw error;
    return nextResolve(`${specifier.slice(0, -3)}.ts`, context);
  }
}

export async function load(url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context);
  const { code } = await transform(await readFile(fileURLToPath(url), 'utf8'), {
    filename: fileURLToPath(url),
    swcrc: false,
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { verbatimModuleSyntax: true, legacyDecorator: true },
    },
    module: { type: 'es6' },
    sourceMaps: 'inline',
  });
  return { format: 'module', source: code, shortCircuit: true };
}
