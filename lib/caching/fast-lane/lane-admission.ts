import type { ApplicationConfig } from '@nestjs/core';
import type { FastLane } from './fast-lane.js';
import { type LaneChoice, laneChoice } from './fast-lane.options.js';
import type { EarlyCompilation, EarlySubject } from '../http/early-hits.js';
import { keyHeaders, laneRefusals } from './lane-rules.js';

/**
 * Admits a handler to the lane; undefined if the handler does not ask for the lane or cannot use it. In the second case this
 * reports the fault `FAST_LANE_REFUSED` with every reason.
 */
export function admitToLane(
  { faults, options }: EarlyCompilation,
  application: { readonly config: ApplicationConfig; readonly lane: FastLane },
  handler: EarlySubject,
): { readonly choice: LaneChoice; readonly keyHeaders: readonly string[] } | undefined {
  const { site, inputs, owner } = handler;
  const choice = laneChoice(site.options.fastLane, options.fastLane);
  if (choice === undefined) return undefined;
  const { headers = 'minimal' } = options;
  const refusals = laneRefusals(
    { ...handler, headers, choice },
    application.config,
    application.lane.front.everywhere(),
  );
  const selectors = application.lane.front.selectors();
  if (selectors === undefined) refusals.push('constraints of routes decide which handler a URL means');
  if (refusals.length > 0)
    faults.add(
      'FAST_LANE_REFUSED',
      `${owner} cannot answer before the framework: ${refusals.join('; ')}. Take \`fastLane\` from it, or set \`fastLane: false\` there.`,
    );
  return {
    choice,
    keyHeaders: [...keyHeaders(site, inputs), ...(selectors ?? [])],
  };
}
