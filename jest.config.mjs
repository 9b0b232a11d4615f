/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // `lib` too, or watch mode misses edits there.
  roots: ['<rootDir>/lib', '<rootDir>/test'],
  testMatch: ['<rootDir>/test/**/*.spec.ts'],
  setupFiles: ['<rootDir>/test/support/jest.setup.mjs'],
  setupFilesAfterEnv: ['<rootDir>/test/support/faults.setup.mjs'],
  extensionsToTreatAsEsm: ['.ts'],
  resolver: '<rootDir>/test/support/resolver.mjs',
  moduleNameMapper: {
    // The package's own name, as the sample imports it: its sources, not what was built last.
    '^nestjs-cache-observability$': '<rootDir>/lib/index.ts',
    '^nestjs-cache-observability/(otel|statsd|cloudwatch)$': '<rootDir>/lib/exporters/$1/index.ts',
    '^nestjs-cache-observability/(database|testing)$': '<rootDir>/lib/$1/index.ts',
  },
  testSequencer: '<rootDir>/test/support/sequencer.mjs',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true, explicitResourceManagement: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, verbatimModuleSyntax: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        // Apart from the code, which every suite reads and compiles anew.
        sourceMaps: true,
      },
    ],
  },
  collectCoverageFrom: ['lib/**/*.ts', '!lib/**/index.ts', '!lib/dashboard/client/**'],
  coverageProvider: 'v8',
  coverageReporters: ['text-summary', 'text', 'lcov'],
  coverageThreshold: { global: { lines: 90 } },
  // For two processors: suites with real servers wait a third of their time.
  maxWorkers: 3,
  // Modules of finished suites stay in memory; past this a full collection of garbage takes a second.
  workerIdleMemoryLimit: '1200MB',
  // Suites start real servers; a busy machine must not fail them.
  testTimeout: 60_000,
};
