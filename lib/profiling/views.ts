/* What draws a profile: loaded with the first one that is asked for. */
export { flamegraphSvg } from './flamegraph-svg.js';
export { foldedText } from './folded-stacks.js';
export { speedscope } from './speedscope.js';
