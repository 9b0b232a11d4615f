/* Renders profiles: loaded with the first request for a profile. */
export { flamegraphSvg } from './flamegraph-svg.js';
export { foldedText } from './folded-stacks.js';
export { speedscope } from './speedscope.js';
