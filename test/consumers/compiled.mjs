// Applications compile against the declarations, with all usual options.
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { here, run } from './projects.mjs';

const entries = ['', '/otel', '/statsd', '/cloudwatch', '/database', '/testing'];
const use = `${entries.map((entry, at) => `import * as entry${at} from 'nestjs-cache-observability${entry}';`).join('\n')}
import { Cached, CacheObservabilityModule, memoryLayer, type Clock } from 'nestjs-cache-observability';
import { Module } from '@nestjs/common';

class Prices {
  @Cached('price:{0}', { ttl: '5m', staleWhileRevalidate: '1m' })
  async of(id: string): Promise<string> {
    return id;
  }
}

@Module({ imports: [CacheObservabilityModule.forRoot({ layers: [memoryLayer({ maxEntries: 10 })] })], providers: [Prices] })
export class AppModule {}
export const clock: Clock = new entry5.ManualClock();
export const names = [${entries.map((_, at) => `entry${at}`).join(', ')}].map((entry) => Object.keys(entry));
`;

const strict = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false };
/** The options that differ between versions of Nest. */
const forms = {
  nest11: {
    'commonjs with node10': { module: 'commonjs', moduleResolution: 'node10', skipLibCheck: true },
    'node16 in CommonJS': { module: 'node16', moduleResolution: 'node16', ...strict },
  },
  nest12: {
    'nodenext in ESM, verbatim': { module: 'nodenext', verbatimModuleSyntax: true, ...strict },
    'esnext with bundler, verbatim': {
      module: 'esnext',
      moduleResolution: 'bundler',
      verbatimModuleSyntax: true,
      ...strict,
    },
  },
};

export async function compiled(work) {
  for (const [nest, options] of Object.entries(forms)) {
    for (const [form, compilerOptions] of Object.entries(options)) {
      const folder = join(work, nest, 'compiled');
      cpSync(join(here, nest, 'package.json'), join(folder, 'package.json'));
      writeFileSync(join(folder, 'main.ts'), use);
      writeFileSync(
        join(folder, 'tsconfig.json'),
        JSON.stringify({
          compilerOptions: {
            target: 'es2022',
            types: ['node'],
            noEmit: true,
            experimentalDecorators: true,
            emitDecoratorMetadata: true,
            ...compilerOptions,
          },
        }),
      );
      await run('node', ['../node_modules/typescript/bin/tsc', '-p', '.'], { cwd: folder });
      console.log(`${nest}, ${form}: ok`);
    }
  }
}
