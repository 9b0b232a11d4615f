// The house rules: rooms from the ground floor up. A room may import from the rooms below it and from none above.
const floors = [
  ['cache'],
  ['metrics'],
  ['insight'],
  ['tracing', 'profiling', 'database', 'testing', 'tuning'],
  ['caching'],
  ['warming'],
  ['instances'],
  ['exporters', 'health', 'fleet', 'persistence'],
  ['monitoring'],
  ['dashboard'],
];
const upward = floors.flatMap((floor, height) => {
  const above = floors.slice(height + 1).flat();
  const beside = (room) => floor.filter((other) => other !== room);
  return floor.map((room) => ({
    name: `${room}-imports-only-down`,
    severity: 'error',
    from: { path: `^lib/${room}/` },
    to: { path: `^lib/(${[...above, ...beside(room)].join('|') || 'nothing'})/` },
  }));
});

// Inside a room, folders from the ground up; '.' is the room's own. A folder imports from those below it, so no two import each other.
const folders = {
  cache: [
    'base',
    'entries',
    'options',
    'invalidation',
    'policies',
    'contract',
    'freshness',
    'adopted',
    'layers',
    'loads',
    'reads',
    'writes',
    '.',
  ],
  metrics: ['dumps', 'windows', 'state', 'patterns', 'recording', '.', 'collectors'],
  caching: ['options', 'inputs', 'keys', 'decoration', 'gate', 'invalidation', 'http', 'handlers', '.', 'fast-lane'],
  insight: ['stream', 'evidence', 'recommendations', 'alerts', '.'],
  exporters: ['.', 'prometheus', 'statsd', 'cloudwatch', 'otel'],
};
const pathOf = (room, folder) => (folder === '.' ? `^lib/${room}/[^/]+$` : `^lib/${room}/${folder}/`);
const upwardInside = Object.entries(folders).flatMap(([room, order]) =>
  order.slice(0, -1).map((folder, height) => ({
    name: `${room}-${folder === '.' ? 'itself' : folder}-imports-only-down`,
    severity: 'error',
    from: { path: pathOf(room, folder) },
    to: {
      path: order
        .slice(height + 1)
        .map((above) => pathOf(room, above))
        .join('|'),
    },
  })),
);

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    ...upward,
    ...upwardInside,
    {
      name: 'plain-typescript-below',
      comment: 'cache, metrics and insight know nothing of Nest',
      severity: 'error',
      from: { path: '^lib/(cache|metrics|insight)/' },
      to: { path: '(^|node_modules/)(@nestjs|@willsoto|rxjs)' },
    },
    {
      name: 'rooms-do-not-import-the-wiring',
      severity: 'error',
      from: { path: `^lib/(${floors.flat().join('|')})/` },
      to: { path: '^lib/(wiring/|adoption/|options/|(?!code-catalogue)[^/]+\\.ts$)' },
    },
    {
      name: 'options-import-only-rooms',
      severity: 'error',
      from: { path: '^lib/options/' },
      to: { path: '^lib/(wiring/|adoption/|[^/]+\\.ts$)' },
    },
    {
      name: 'the-wiring-imports-only-options-and-rooms',
      severity: 'error',
      from: { path: '^lib/wiring/' },
      to: { path: '^lib/(adoption/|(?!code-catalogue)[^/]+\\.ts$)' },
    },
    {
      name: 'adoption-imports-only-the-wiring',
      severity: 'error',
      from: { path: '^lib/adoption/' },
      to: { path: '^lib/[^/]+\\.ts$' },
    },
    {
      name: 'optional-peers-are-loaded-when-used',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/(exporters/(otel|statsd|cloudwatch)|database|testing)/' },
      to: {
        path: '(hot-shots|aws-embedded-metrics|@opentelemetry|light-my-request|cache-manager-redis-yet|@nestjs/swagger|node_modules/prom-client|@willsoto)',
        dependencyTypesNot: ['type-only'],
        dynamic: false,
      },
    },
    {
      name: 'what-few-need-is-loaded-when-used',
      severity: 'error',
      from: { path: '^lib/' },
      to: {
        path: '(/cron/|@nestjs/schedule|@nestjs/terminus|@redis/client|^inspector|^node:inspector|^lib/monitoring/openapi-routes)',
        dependencyTypesNot: ['type-only'],
        dynamic: false,
      },
    },
    {
      name: 'features-are-loaded-when-used',
      comment:
        'lib/wiring/features.ts registers them; DatabaseMetrics is a token, and the cache makes its profiler at once',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/(caching/fast-lane|database|profiling)/' },
      to: {
        path: '^lib/(caching/fast-lane|database|profiling)/',
        pathNot:
          '^lib/(database/records/(database|process)-metrics|profiling/(profiler|hit-observer|cpu-profile))\\.ts$',
        dependencyTypesNot: ['type-only'],
        dynamic: false,
      },
    },
    {
      name: 'features-are-registered-in-one-place',
      severity: 'error',
      from: {
        path: '^lib/(caching/|wiring/|[^/]+$)',
        pathNot: '^lib/(caching/fast-lane/|(wiring/(features|watchers)|index)\\.ts$)',
      },
      to: {
        path: '^lib/(caching/fast-lane|database|profiling)/',
        dependencyTypesNot: ['type-only'],
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
