import { exact, labelled, moment } from './format';
import { computed } from '@preact/signals';
import { connection, events, type Invalidation, type LiveEvent } from './live';
import { Card } from './parts';
import { route } from './route';
import type { AlertChange, PolicyEvent, WarmingProgress } from './wire';

/** The events of the chosen cache, and events that belong to no cache, the latest first. */
export const shownEvents = computed(() =>
  events.value.filter(({ data }) => {
    const { cache, alert } = data as { readonly cache?: string; readonly alert?: AlertChange['alert'] };
    const caches = alert?.caches ?? [cache];
    return cache === undefined || caches.includes(route.value.cache);
  }),
);

export function EventsPage() {
  return (
    <Card title="Events" covers="since the page was opened">
      <EventList limit={300} />
    </Card>
  );
}

export function EventList({ limit }: { limit: number }) {
  const shown = shownEvents.value.slice(0, limit);
  if (shown.length === 0) {
    return (
      <p class="note">
        {connection.value === 'polling'
          ? 'The event stream is not open: events do not come in.'
          : 'No alert, invalidation or warming since the page was opened. New ones appear here.'}
      </p>
    );
  }
  return (
    <ol class="list">
      {shown.map((event) => (
        <li key={event.id}>
          <time class="muted" dateTime={new Date(event.at).toISOString()}>
            {moment(event.at)}
          </time>
          <span class="code">{event.type}</span>
          <bdi>{described(event)}</bdi>
        </li>
      ))}
    </ol>
  );
}

function described({ type, data }: LiveEvent): string {
  if (type === 'alert') {
    const { state, alert } = data as AlertChange;
    return `${state}: ${alert.message}`;
  }
  if (type === 'warming') {
    const { type: step, report } = data as WarmingProgress;
    return `${report.strategy} ${step}: ${exact(report.keys_warmed)} warmed, ${exact(report.keys_failed)} failed`;
  }
  if (type === 'policy') {
    const { pattern, change, values, set_by } = data as PolicyEvent;
    const changed = Object.entries(values).map(([name, value]) => labelled(name, value).join(' '));
    return `${pattern} ${change.replaceAll('_', ' ')} by ${set_by}: ${changed.join(', ') || 'as declared'}`;
  }
  const { patterns, keys, globs, tags, all, removed } = data as Invalidation;
  const what = [
    counted(keys, 'key'),
    counted(globs, 'glob'),
    counted(tags, 'tag'),
    removed === null ? '' : `${exact(removed)} removed`,
  ];
  const counts = what.filter((part) => part !== '').join(', ');
  const subject = all ? 'everything' : patterns.join(' ');
  return subject === '' ? counts : `${subject} (${counts})`;
}

const counted = (times: number, word: string): string =>
  times === 0 ? '' : `${exact(times)} ${word}${times === 1 ? '' : 's'}`;
