// Runs the suites that wait for servers and browsers first, so that no worker waits for them alone at the end. Where no
// earlier run is known, Jest begins with the largest files, and many of these are small.
import Sequencer from '@jest/test-sequencer';

const waits = ({ path }) => /[\\/](?:faults[\\/]|e2e[\\/]dashboard-)/.test(path);

export default class WaitingFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    return [...sorted.filter(waits), ...sorted.filter((test) => !waits(test))];
  }
}
