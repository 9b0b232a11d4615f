import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import type { Compilation } from '../handlers/compilation.js';
import type { FastLane } from './fast-lane.js';
import { laneChoice } from './fast-lane.options.js';
import { hostsDecide, keyHeaders, laneRefusals, type LaneSubject, routeConstraints } from './lane-rules.js';
import type { LaneRouteParts } from './lane-route.js';

/** Behind a proxy that is trusted the host is what that says it was. */
const HOSTS = ['host', 'x-forwarded-host'] as const;

/**
 * What the lane must know of a handler whose hits may take it; undefined where that was not asked for. Where it was and
 * something would be left out, that is a fault of the application: `FAST_LANE_REFUSED`, with every reason.
 */
export function admitToLane(
  { faults, options }: Compilation,
  application: { readonly config: ApplicationConfig; readonly modules: ModulesContainer; readonly lane: FastLane },
  handler: Omit<LaneSubject, 'headers' | 'choice'> & { readonly owner: string },
): Pick<LaneRouteParts, 'choice' | 'keyHeaders'> | undefined {
  const { site, inputs, owner } = handler;
  const choice = laneChoice(site.options.fastLane, options.fastLane);
  if (choice === undefined) return undefined;
  const { headers = 'minimal' } = options;
  const refusals = laneRefusals({ ...handler, headers, choice }, application.config, application.lane.middleware());
  const constraints = routeConstraints(application.modules);
  if ([...constraints].some((name) => name !== 'host'))
    refusals.push('constraints of routes decide which handler an address means');
  if (refusals.length > 0)
    faults.add(
      'FAST_LANE_REFUSED',
      `${owner} cannot answer before the framework: ${refusals.join('; ')}. Take \`fastLane\` from it, or say \`fastLane: false\` there.`,
    );
  return {
    choice,
    keyHeaders: [
      ...keyHeaders(site, inputs),
      ...(constraints.has('host') || hostsDecide(application.modules) ? HOSTS : []),
    ],
  };
}
