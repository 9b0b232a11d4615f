// The house rules: rooms from the ground floor up. A room may import from the rooms below it and from none above.
const floors = [
  ['cache'],
  ['metrics'],
  ['insight'],
  ['tracing', 'profiling', 'database', 'testing'],
  ['caching'],
  ['warming'],
  ['exporters', 'health', 'fleet', 'persistence'],
  ['monitoring'],
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

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    ...upward,
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
      from: { path: '^lib/[^/]+/', pathNot: '^lib/(options|adoption)/' },
      to: { path: '^lib/[^/]+\\.ts$', pathNot: '^lib/service-name\\.ts$' },
    },
    {
      name: 'optional-peers-are-loaded-when-used',
      severity: 'error',
      from: { path: '^lib/', pathNot: '^lib/(exporters/(otel|statsd|cloudwatch)|database|testing)/' },
      to: {
        path: '(hot-shots|aws-embedded-metrics|@opentelemetry|light-my-request|cache-manager-redis-yet|@nestjs/swagger)',
        dependencyTypesNot: ['type-only'],
        dynamic: false,
      },
    },
    {
      name: 'what-few-need-is-loaded-when-used',
      severity: 'error',
      from: { path: '^lib/' },
      to: {
        path: '(/cron/|@nestjs/schedule|@nestjs/terminus|@redis/client|^inspector|^node:inspector)',
        dependencyTypesNot: ['type-only'],
        dynamic: false,
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
