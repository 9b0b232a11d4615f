import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>;
}

const read = <T>(file: string): T => parse(readFileSync(file, 'utf8')) as T;
const compose = read<{ services: Record<string, Service> }>('sample/compose.yaml');
const services = Object.entries(compose.services);
/** The host's path and the container's, as Docker mounts them. */
const mounts = ({ volumes = [] }: Service): [string, string][] =>
  volumes.map((volume) => {
    const [host = '', container = ''] = volume.split(':');
    return [posix.join('sample', host), container];
  });
/** The file of the repository that a container has at `path`. */
const mounted = (service: Service, path: string): string | undefined =>
  mounts(service)
    .filter(([, container]) => path === container || path.startsWith(`${container}/`))
    .map(([host, container]) => host + path.slice(container.length))[0];

const texts = { type: 'array', items: { type: 'string' }, minItems: 1 };
/** The parts of https://github.com/compose-spec/compose-spec that sample/compose.yaml uses, as strict as the specification. */
const specification = {
  type: 'object',
  required: ['services'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]*$' },
    services: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        oneOf: [{ required: ['image'] }, { required: ['build'] }],
        properties: {
          image: { type: 'string' },
          build: {
            type: 'object',
            required: ['context', 'dockerfile'],
            additionalProperties: false,
            properties: { context: { type: 'string' }, dockerfile: { type: 'string' } },
          },
          command: texts,
          environment: { type: 'object', additionalProperties: { type: 'string' } },
          ports: { ...texts, items: { type: 'string', pattern: '^127\\.0\\.0\\.1:\\d+:\\d+$' } },
          volumes: { ...texts, items: { type: 'string', pattern: '^\\.{1,2}/[^:]+:/[^:]+:ro$' } },
          depends_on: {
            oneOf: [
              texts,
              {
                type: 'object',
                additionalProperties: {
                  type: 'object',
                  required: ['condition'],
                  additionalProperties: false,
                  properties: { condition: { enum: ['service_started', 'service_healthy'] } },
                },
              },
            ],
          },
          healthcheck: {
            type: 'object',
            required: ['test'],
            additionalProperties: false,
            properties: {
              test: texts,
              interval: { type: 'string', pattern: '^\\d+s$' },
              timeout: { type: 'string', pattern: '^\\d+s$' },
              start_period: { type: 'string', pattern: '^\\d+s$' },
              retries: { type: 'integer' },
            },
          },
        },
      },
    },
  },
};

describe('sample/compose.yaml', () => {
  it('sample/compose.yaml matches the Compose specification', () => {
    const ajv = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true, strictRequired: false });
    const validate = ajv.compile(specification);
    validate(compose);
    expect(validate.errors ?? []).toEqual([]);
    for (const [name, { depends_on = [] }] of services) {
      const needed = Array.isArray(depends_on) ? (depends_on as string[]) : Object.keys(depends_on);
      expect([name, needed.filter((other) => !(other in compose.services))]).toEqual([name, []]);
    }
  });

  it('sample/compose.yaml is valid for Docker if Docker is installed', () => {
    const docker = spawnSync('docker', ['compose', '-f', 'sample/compose.yaml', 'config', '--quiet'], {
      encoding: 'utf8',
    });
    const isMissing = docker.error !== undefined || /not a docker command|unknown .*flag/.test(docker.stderr);
    if (!isMissing) expect([docker.status, docker.stderr]).toEqual([0, '']);
  });

  it('sample/compose.yaml starts the marketplace, Redis, Prometheus and Grafana, each image at one version', () => {
    expect(Object.keys(compose.services).sort()).toEqual(['grafana', 'marketplace', 'prometheus', 'redis']);
    const from = /^FROM (\S+)$/m.exec(readFileSync('sample/Dockerfile', 'utf8'))?.[1];
    for (const image of [from, ...services.flatMap(([, { image }]) => image ?? [])])
      expect(image).toMatch(/^[\w./-]+:v?\d+\.\d+\.\d+(-[a-z-]+)?$/);
  });

  it('sample/compose.yaml mounts existing files, and the Dockerfile copies existing files', () => {
    for (const [, service] of services)
      for (const [host] of mounts(service)) expect([host, existsSync(host)]).toEqual([host, true]);
    const { context, dockerfile } = compose.services['marketplace']!.build!;
    expect(existsSync(posix.join('sample', context, dockerfile))).toBe(true);

    const copied = [...readFileSync('sample/Dockerfile', 'utf8').matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, paths]) =>
      paths!.split(' '),
    );
    const sent = readFileSync('sample/Dockerfile.dockerignore', 'utf8').split('\n');
    expect(copied.length).toBeGreaterThan(5);
    for (const path of copied) {
      expect([path, existsSync(path)]).toEqual([path, true]);
      expect(sent).toContain(`!${path}`);
    }
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const run = [...readFileSync('sample/Dockerfile', 'utf8').matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name!);
    expect(run).toEqual(['build', 'build:sample']);
    expect(run.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('Prometheus scrapes the marketplace and loads the rules of the package', () => {
    const service = compose.services['prometheus']!;
    const config = mounted(service, '/etc/prometheus/prometheus.yml')!;
    const { rule_files, scrape_configs } = read<{
      rule_files: string[];
      scrape_configs: { static_configs: { targets: string[] }[] }[];
    }>(config);
    const [{ static_configs }] = scrape_configs as [{ static_configs: { targets: string[] }[] }];
    const port = compose.services['marketplace']!.environment!['PORT'];
    expect(static_configs).toEqual([{ targets: [`marketplace:${port}`] }]);
    expect(rule_files.map((file) => mounted(service, `/etc/prometheus/${file}`))).toEqual([
      'prometheus/recording-rules.yml',
      'prometheus/alert-rules.yml',
    ]);
    // Without Docker, Prometheus loads the same rules.
    const local = read<{ rule_files: string[] }>('sample/monitoring/prometheus.yml');
    expect(local.rule_files.map((file) => posix.join('sample/monitoring', file))).toEqual([
      'prometheus/recording-rules.yml',
      'prometheus/alert-rules.yml',
    ]);
  });

  it('Grafana is provisioned with Prometheus as data source and the dashboard of the package', () => {
    const service = compose.services['grafana']!;
    const provisioned = <T>(kind: string) =>
      read<T>(mounted(service, `/etc/grafana/provisioning/${kind}/${kind}.yml`)!);
    const { datasources } = provisioned<{ datasources: { type: string; url: string; isDefault: boolean }[] }>(
      'datasources',
    );
    expect(datasources).toMatchObject([{ type: 'prometheus', url: 'http://prometheus:9090', isDefault: true }]);
    const { providers } = provisioned<{ providers: { type: string; options: { path: string } }[] }>('dashboards');
    const [{ type, options }] = providers as [{ type: string; options: { path: string } }];
    expect(type).toBe('file');
    expect(mounted(service, `${options.path}/dashboard.json`)).toBe('grafana/dashboard.json');
    expect(mounted(service, service.environment!['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH']!)).toBe(
      'grafana/dashboard.json',
    );
  });

  it('the marketplace reads the settings that sample/compose.yaml gives it', async () => {
    const { readSettings } = await import('../../sample/marketplace/settings.js');
    const { environment = {} } = compose.services['marketplace']!;
    expect(readSettings(environment)).toMatchObject({ port: 3000, redisUrl: 'redis://redis:6379' });
    expect(Object.keys(compose.services)).toContain(new URL(environment['REDIS_URL']!).hostname);
  });
});
