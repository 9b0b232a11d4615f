/** The TTL of a value for which no policy sets one. */
export const DEFAULT_TTL = '5m';
