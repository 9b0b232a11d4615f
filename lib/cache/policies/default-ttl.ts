/** The TTL of a value if no policy sets one. */
export const DEFAULT_TTL = '5m';
