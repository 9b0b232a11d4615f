// Bundles the client of the dashboard into one module of compressed files: node lib/dashboard/client/build.mjs FILE
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Bundles the files of the client, by the names that browsers request. */
export async function bundle() {
  const { outputFiles } = await build({
    entryPoints: [here('main.tsx'), here('styles.css')],
    tsconfig: here('tsconfig.json'),
    outdir: 'out',
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: ['chrome111', 'firefox115', 'safari16.4'],
    legalComments: 'none',
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  const find = (ending) => Buffer.from(outputFiles.find(({ path }) => path.endsWith(ending)).contents);
  const files = [
    named('main', 'js', 'text/javascript; charset=utf-8', find('.js')),
    named('styles', 'css', 'text/css; charset=utf-8', find('.css')),
    named('icon', 'svg', 'image/svg+xml', readFileSync(here('icon.svg'))),
  ];
  const page = readFileSync(here('page.html'), 'utf8').replace(/\{(\w+)\}/g, (_, kind) => {
    return `dashboard/assets/${files.find(({ name }) => name.startsWith(`${kind}-`)).name}`;
  });
  return { page, files };
}

function named(kind, extension, type, bytes) {
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 12);
  return { name: `${kind}-${hash}.${extension}`, type, bytes };
}

/**
 * Writes the module that the controller loads. @returns the number of bytes that a browser receives, with Brotli and with gzip.
 */
export async function writeAssets(file) {
  const { page, files } = await bundle();
  const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 } };
  const packed = files.map(({ name, type, bytes }) => [name, type, brotliCompressSync(bytes, options)]);
  const assets = Object.fromEntries(packed.map(([name, type, br]) => [name, { type, br: br.toString('base64') }]));
  mkdirSync(dirname(file), { recursive: true });
  // Write to another name and rename, because several test processes may write the file at once.
  const scratch = `${file}.${process.pid}`;
  writeFileSync(
    scratch,
    `export const page = ${JSON.stringify(page)};\nexport const assets = ${JSON.stringify(assets)};\n`,
  );
  renameSync(scratch, file);
  return {
    br: page.length + packed.reduce((all, [, , br]) => all + br.length, 0),
    gzip: page.length + files.reduce((all, { bytes }) => all + gzipSync(bytes, { level: 9 }).length, 0),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { br, gzip } = await writeAssets(process.argv[2] ?? here('../client-assets.js'));
  console.log(`dashboard: ${(br / 1024).toFixed(1)} KB with Brotli, ${(gzip / 1024).toFixed(1)} KB with gzip`);
}
