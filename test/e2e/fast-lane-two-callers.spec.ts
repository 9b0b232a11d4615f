import { afterEach, describe, expect, it } from '@jest/globals';
import { type Platform, platforms } from '../support/apps.js';
import { bare, closeLaneApps, type LaneAnswer, startLane } from '../support/lane-app.js';
import { type Application, onBoth, onOne, Shop } from '../support/two-caller-applications.js';

/*
 * Promise: no header and no body of one caller reaches another, whatever code before the handlers is skipped.
 * Each application is started twice, with the lane and without. Two callers send the same requests to both, and every
 * response must be the same, header by header.
 */

afterEach(closeLaneApps);

/** All responses to two callers: first one after the other, then in turns. */
async function answersOf(application: Application, platform: Platform, hasLane: boolean): Promise<LaneAnswer[]> {
  const { put, configure, modules, controllers = [Shop], skip = [], callers } = application;
  const adapter = bare(platform);
  put?.(adapter);
  const lane = await startLane(adapter, {
    controllers,
    ...(hasLane && { fastLane: { skipMiddleware: skip } }),
    ...(configure && { configure }),
    ...(modules && { modules }),
  });
  const [one, two] = callers;
  const answers: LaneAnswer[] = [];
  for (const { path, headers, method, from } of [one, one, one, one, two, two, two, two, one, two, one, two])
    answers.push(await lane.ask(path, headers, method, from));
  return answers;
}

const compared = ({ status, body, headers: { date: _, ...headers } }: LaneAnswer) => ({ status, body, headers });

describe.each(platforms)('two callers of the fast lane on %s', (platform) => {
  it.each(Object.entries({ ...onBoth, ...onOne[platform] }))(
    'the lane changes no response for two callers, behind %s',
    async (_, application) => {
      const expected = await answersOf(application, platform, false);
      const answers = await answersOf(application, platform, true);
      expect(answers.map(compared)).toEqual(expected.map(compared));
      expect(answers.some(({ path }) => path === 'lane')).toBe(application.answers);
    },
  );
});
