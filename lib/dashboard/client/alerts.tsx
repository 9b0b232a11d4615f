import { moment } from './format';
import { issueText } from './issue-text';
import { Card, Copy, Loaded, PatternLink } from './parts';
import { type Resource, useResource } from './resource';
import { subject } from './route';
import type { Alert } from './wire';

const EVERY_MS = 20_000;

/** Requests the open alerts and the latest closed ones. */
export function useAlerts(): Resource<readonly Alert[]> {
  return useResource<readonly Alert[]>('alerts', { state: 'all', ...subject.value }, EVERY_MS);
}

export function AlertsPage() {
  return (
    <Card title="Alerts" covers="open now and latest">
      <AlertList />
    </Card>
  );
}

export function AlertList({ limit = 200 }: { limit?: number }) {
  return (
    <Loaded of={useAlerts()} empty={(all) => all.length === 0} nothing="No alert is open, and none was.">
      {(all) => (
        <ul class="list">
          {[...all]
            .sort((a, b) => Number(a.closed_at != null) - Number(b.closed_at != null))
            .slice(0, limit)
            .map((one, at) => (
              <li key={`${one.id} ${at}`}>
                <State of={one} />
                <span class="code">{one.code}</span>
                <span>{one.message}</span>
                <Subject of={one} />
                {one.caches && <span class="muted">caches {one.caches.join(', ')}</span>}
                <span class="muted">
                  {one.opened_at && `opened ${moment(one.opened_at)}`}{' '}
                  {one.closed_at && `closed ${moment(one.closed_at)}`}
                </span>
                <span class="push" />
                <Copy what={`the alert ${one.code}`} text={() => textOf(one)} />
              </li>
            ))}
        </ul>
      )}
    </Loaded>
  );
}

/** Shows the state with a symbol and a word, so that colour is not needed. */
function State({ of: { closed_at, severity } }: { of: Alert }) {
  if (closed_at) return <span class="state good">● closed</span>;
  return severity === 'critical' ? <span class="state bad">■ open</span> : <span class="state warn">▲ open</span>;
}

/** Links to the page of the pattern. Nothing for a layer, a pool or the whole cache, which the message names. */
function Subject({ of }: { of: Alert }) {
  return isPattern(of) ? <PatternLink name={of.subject} /> : null;
}

const isPattern = ({ subject: about }: Alert) => about.includes('*') || about.includes(':');

function textOf(alert: Alert): string {
  const { code, severity, message, subject: about, value, expected, opened_at: since, closed_at: until } = alert;
  return issueText({
    title: `${code} (${severity}${until === null ? ', open' : ''})`,
    why: message,
    about: isPattern(alert) ? { pattern: about } : {},
    evidence: { subject: about, value, expected },
    declaredBy: alert.declared_by,
    since,
    until,
  });
}
