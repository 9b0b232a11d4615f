/** How hits of a handler leave before the framework sees their requests. */
export interface FastLaneOptions {
  /**
   * Middleware and framework hooks that need not run for a hit, by the name of their class or function; what has no name is
   * `'anonymous'`. `true`: none of them need. Headers they set are sent all the same: they are learned from the full path.
   * @default []
   */
  readonly skipMiddleware?: true | readonly string[];
}

/** What is left out for a hit of one handler: everything, or what is named by the application or the handler. */
export interface LaneChoice {
  readonly skips: true | ReadonlySet<string>;
}

/** The choice of one handler; undefined where its hits go the full path. */
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

/** Middleware that a handler's hits may not leave out. */
export function unskippable({ skips }: LaneChoice, middleware: readonly string[]): string[] {
  return skips === true ? [] : [...new Set(middleware.filter((name) => !skips.has(name)))];
}
