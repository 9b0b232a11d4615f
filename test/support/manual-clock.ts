export { ManualClock, settle } from '../../lib/testing/manual-clock.js';
