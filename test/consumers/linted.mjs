// The rules that `nest new` of Nest 11 generates, typed ones and prettier's, accept the code of the documentation.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './projects.mjs';

export async function linted(work) {
  const shop = join(work, 'nest11/shop');
  const lint = (...files) => run('node', ['../node_modules/eslint/bin/eslint.js', ...files], { cwd: shop });
  await lint('{src,test}/**/*.ts');
  // The rule for which `@Cached` has a form with two arguments is on.
  const unbound = join(shop, 'src/unbound.ts');
  writeFileSync(
    unbound,
    `import { cacheMetricsOf } from 'nestjs-cache-observability';
import { Prices } from './prices';

export const rate = (prices: Prices) => cacheMetricsOf(prices.of).getStats().hitRate;
`,
  );
  await assert.rejects(lint('src/unbound.ts'), /@typescript-eslint\/unbound-method/);
  rmSync(unbound);
  console.log('lint of nest new: ok');
}
