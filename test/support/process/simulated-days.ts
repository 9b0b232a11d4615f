import { SeriesWatch } from '../../../lib/insight/alerts/series-watch.js';
import { type Days, minutesOf } from '../simulated-days.js';

/*
 * Runs simulated days through the detectors, in a separate process: one second of work here takes ten in a worker of
 * the tests. It reads a list of days and writes a list of alarms for each.
 */

/** An alarm: when it began and ended, in minutes. */
export interface SimulatedAlarm {
  readonly signal: string;
  readonly from: number;
  readonly until: number | null;
}

/** Minutes after a start without a judgement. */
const SETTLING = 10;

function alarmsOf(days: Days): SimulatedAlarm[] {
  const watch = new SeriesWatch();
  const open = new Map<string, number>();
  const ended: SimulatedAlarm[] = [];
  let minute = 0;
  for (const each of minutesOf(days)) {
    watch.observe(each, { frozen: ++minute <= SETTLING, series: 1 });
    const now = new Set<string>([...watch.alarms()].map(([signal]) => signal));
    for (const signal of now) if (!open.has(signal)) open.set(signal, minute);
    for (const [signal, from] of open) {
      if (now.has(signal)) continue;
      open.delete(signal);
      ended.push({ signal, from, until: minute });
    }
  }
  return [...ended, ...[...open].map(([signal, from]) => ({ signal, from, until: null }))];
}

let input = '';
for await (const part of process.stdin.setEncoding('utf8')) input += String(part);
process.stdout.write(JSON.stringify((JSON.parse(input) as Days[]).map(alarmsOf)));
