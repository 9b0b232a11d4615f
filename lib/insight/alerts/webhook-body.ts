import type { AlertChange } from './alert.js';

/** Returns the body of a request to a webhook. @param service the name of the service; undefined if it has none. */
export function webhookBody(change: AlertChange, format: 'json' | 'slack', service: string | undefined): string {
  return JSON.stringify(format === 'slack' ? slackMessage(change, service) : jsonMessage(change, service));
}

function jsonMessage({ state, alert }: AlertChange, service: string | undefined): object {
  const { openedAt, closedAt, declaredBy, ...fields } = alert;
  const times = { opened_at: openedAt, closed_at: closedAt };
  return { state, service: service ?? null, alert: { ...fields, ...times, declared_by: declaredBy } };
}

function slackMessage({ state, alert }: AlertChange, service: string | undefined): object {
  const { code, severity, subject, message, caches } = alert;
  const where = service === undefined ? '' : ` ${service}:`;
  const concerned = caches === undefined ? '' : ` Caches: ${caches.join(', ')}.`;
  const text =
    state === 'opened'
      ? `[${severity}]${where} ${code}: ${message}${concerned}`
      : `[over]${where} ${code} of ${subject} is over.${concerned}`;
  // Patterns contain asterisks; without this, Slack makes text between them bold.
  return { text: slackText(text), mrkdwn: false };
}

/** Escapes the three characters that begin links and mentions, as Slack requires. */
function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
