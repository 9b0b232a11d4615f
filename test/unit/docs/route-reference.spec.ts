import 'reflect-metadata';
import { RequestMethod } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { dashboardRoutes } from '../../../lib/dashboard/dashboard.routes.js';
import { monitoringRoutes } from '../../../lib/monitoring/controllers.js';
import { type ResolvedMonitoring, resolveMonitoring } from '../../../lib/options/resolved-options.js';

const page = readFileSync('docs/reference/routes.md', 'utf8');
const documented = [...page.matchAll(/^(?:\| `|### `)((?:GET|POST|PUT|PATCH|DELETE) \/cache\/[\w/:-]+)`/gm)].map(
  ([, route]) => route!,
);

const monitoring = resolveMonitoring(undefined) as ResolvedMonitoring;
const controllers = [monitoringRoutes(monitoring), dashboardRoutes(monitoring)].flatMap((made) => made.controllers);
const routes = controllers.flatMap((controller) => {
  const { prototype } = controller as { prototype: Record<string, object> };
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const path: unknown = Reflect.getMetadata('path', prototype[name]!);
    const method = Reflect.getMetadata('method', prototype[name]!) as RequestMethod;
    return name !== 'constructor' && typeof path === 'string' ? [`${RequestMethod[method]} /cache/${path}`] : [];
  });
});

describe('the reference of routes', () => {
  it('the reference of routes has every monitoring route and no other', () => {
    expect(routes.length).toBeGreaterThan(15);
    expect(documented.sort()).toEqual(routes.sort());
  });
});
