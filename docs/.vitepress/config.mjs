import { defineConfig } from 'vitepress';

const page = (text, link) => ({ text, link });

/** Pages of the repository outside docs/ are no pages of the site; tests check that they exist. */
const OUTSIDE = /^\.{1,2}\/(?:\.\.\/)?(?:sample|grafana|prometheus|bench|lib|test|CHANGELOG|CONTRIBUTING|README)/;

/** A mermaid block becomes a diagram that the reader's browser draws, in its own colours. */
function diagrams(md) {
  const fence = md.renderer.rules.fence;
  md.renderer.rules.fence = (tokens, index, ...rest) => {
    const { info, content } = tokens[index];
    return info.trim() === 'mermaid'
      ? `<Diagram text="${encodeURIComponent(content)}" />`
      : fence(tokens, index, ...rest);
  };
}

export default defineConfig({
  title: 'nestjs-cache-observability',
  description: 'The caching module for NestJS: fast, warm, safe when Redis fails, and visible.',
  lang: 'en',
  base: process.env.DOCS_BASE ?? '/',
  outDir: '../build/docs',
  cacheDir: '../build/docs-cache',
  cleanUrls: false,
  ignoreDeadLinks: [OUTSIDE],
  markdown: { config: diagrams },
  // Mermaid is large and loaded by the pages that have a diagram only.
  vite: { build: { chunkSizeWarningLimit: 1_500 } },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      page('Tutorial', '/tutorial'),
      page('Guides', '/recipes'),
      page('Reference', '/reference/options'),
      page('Explanation', '/architecture'),
    ],
    sidebar: [
      {
        text: 'Start',
        items: [page('What it is', '/'), page('Tutorial', '/tutorial'), page('Migration', '/migration')],
      },
      {
        text: 'Guides',
        items: [
          page('Recipes', '/recipes'),
          page('Monitoring', '/monitoring'),
          page('Which question, which figure', '/observability'),
          page('Dashboard', '/dashboard'),
          page('Recommendations', '/recommendations'),
          page('Tuning', '/tuning'),
          page('Alerts', '/alerts'),
          page('Warming', '/warming'),
          page('Testing', '/testing'),
          page('Security', '/security'),
          page('Upgrading', '/upgrading'),
        ],
      },
      {
        text: 'Reference',
        items: [
          page('Options', '/reference/options'),
          page('Decorators', '/reference/decorators'),
          page('Routes', '/reference/routes'),
          page('Metrics', '/reference/metrics'),
          page('Errors and log codes', '/reference/errors'),
          page('API', '/reference/api/'),
        ],
      },
      {
        text: 'Explanation',
        items: [
          page('Architecture', '/architecture'),
          page('Consistency', '/consistency'),
          page('Resilience', '/resilience'),
          page('Values', '/values'),
          page('Eviction', '/eviction'),
          page('Insight', '/insight'),
          page('Performance', '/performance'),
        ],
      },
    ],
  },
});
