import type { FastLaneOptions } from '../options/fast-lane.options.js';

/** The middleware skipped for hits of one handler: all, or those named by the application or the handler. */
export interface LaneChoice {
  readonly skips: true | ReadonlySet<string>;
}

/** The choice of one handler; undefined if its hits take the full path. */
export function laneChoice(
  ofHandler: boolean | FastLaneOptions | undefined,
  ofApplication: boolean | FastLaneOptions | undefined,
): LaneChoice | undefined {
  if ((ofHandler ?? ofApplication ?? false) === false) return undefined;
  const named = [ofApplication, ofHandler].flatMap((option) =>
    typeof option === 'object' ? [option.skipMiddleware ?? []] : [],
  );
  if (named.includes(true)) return { skips: true };
  return { skips: new Set(named.flatMap((names) => (names === true ? [] : names))) };
}

/** A function of the application that runs between the server and a handler. */
export interface InFront {
  /** Its name, as in `skipMiddleware`. */
  readonly name: string;
  /** Where it was added. */
  readonly place: string;
}

/** Returns the functions that must run on a handler's hits. */
export function unskippable({ skips }: LaneChoice, inFront: readonly InFront[]): InFront[] {
  return skips === true ? [] : inFront.filter(({ name }) => !skips.has(name));
}

/** Lists the names and places of functions, for messages. */
export function listed(inFront: readonly InFront[]): string {
  return [...new Set(inFront.map(({ name, place }) => (name === 'anonymous' ? `anonymous (${place})` : name)))].join(
    ', ',
  );
}

/** Returns advice on how hits can skip these functions. */
export function howToSkip(inFront: readonly InFront[]): string {
  const names = [...new Set(inFront.map(({ name }) => `'${name}'`))];
  const option = `\`fastLane: { skipMiddleware: [${names.join(', ')}] }\``;
  return names.includes(`'anonymous'`)
    ? `name what hits need not run: ${option}; give a function without a name one first, because 'anonymous' skips all of them`
    : `name what hits need not run: ${option}`;
}
