import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AlertChange } from '../../../../lib/insight/alerts/alert.js';
import { Webhook } from '../../../../lib/insight/alerts/webhook.js';
import type { WebhookOptions } from '../../../../lib/insight/alerts/alerts.options.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { eventually } from '../../../support/redis.js';

const change = (subject = 'feed:*', state: AlertChange['state'] = 'opened'): AlertChange => ({
  state,
  alert: {
    id: 'an-id',
    code: 'HIT_RATE_DROP',
    severity: 'warning',
    subject,
    message: `The hit rate of ${subject} is 60 %; 90 % is usual.`,
    value: 0.6,
    expected: 0.9,
    openedAt: '2026-03-02T00:00:00.000Z',
    closedAt: state === 'opened' ? null : '2026-03-02T01:00:00.000Z',
  },
});

/** The deadline of a receiver, milliseconds. */
const DEADLINE_MS = 5_000;

/** A clock on which no deadline ends while the test advances it for pauses: requests take real time. */
class PatientClock extends ManualClock {
  patient = true;

  override after(delayMs: number, task: () => void): () => void {
    return this.patient && delayMs === DEADLINE_MS ? () => undefined : super.after(delayMs, task);
  }
}

describe('a webhook', () => {
  let receiver: Server;
  let received: { headers: IncomingHttpHeaders; path: string | undefined; body: any }[];
  /** The response of the receiver; by default it accepts everything. */
  let answer: (response: ServerResponse) => void;
  let clock: PatientClock;
  let logged: string[];
  let webhooks: Webhook[];

  beforeEach(async () => {
    received = [];
    logged = [];
    webhooks = [];
    clock = new PatientClock();
    answer = (response) => response.end('ok');
    receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => (body += String(part)));
      request.on('end', () => {
        received.push({ headers: request.headers, path: request.url, body: JSON.parse(body) });
        answer(response);
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    for (const webhook of webhooks) webhook.close();
    receiver.closeAllConnections();
    await new Promise((resolve) => receiver.close(resolve));
  });

  const webhookTo = (options: Partial<WebhookOptions> = {}): Webhook => {
    const url = `http://user:pass-word@127.0.0.1:${(receiver.address() as AddressInfo).port}/services/T1/secret-path`;
    const webhook = new Webhook({
      options: { url, ...options },
      service: 'shop',
      clock,
      log: (_level, code, message) => logged.push(`${code}: ${message}`),
    });
    webhooks.push(webhook);
    return webhook;
  };
  const status = (code: number) => (response: ServerResponse) => response.writeHead(code).end();
  /** Advances the clock until so many requests have arrived. */
  const arrivals = async (count: number) => {
    for (let step = 0; step < 2_000 && received.length < count; step++) {
      await clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(received).toHaveLength(count);
  };

  it('a webhook sends JSON with the names of the routes, the headers and credentials it was given', async () => {
    const webhook = webhookTo({ headers: { 'X-Token': 'secret-token' } });
    webhook.send(change('feed:*', 'closed'));
    await webhook.idle();
    expect(received).toMatchObject([
      {
        path: '/services/T1/secret-path',
        headers: {
          'content-type': 'application/json',
          'x-token': 'secret-token',
          authorization: `Basic ${Buffer.from('user:pass-word').toString('base64')}`,
        },
        body: {
          state: 'closed',
          service: 'shop',
          alert: {
            id: 'an-id',
            code: 'HIT_RATE_DROP',
            subject: 'feed:*',
            value: 0.6,
            expected: 0.9,
            opened_at: '2026-03-02T00:00:00.000Z',
            closed_at: '2026-03-02T01:00:00.000Z',
          },
        },
      },
    ]);
    expect(webhook.counts).toEqual({ sent: 1, failed: 0, dropped: 0 });
  });

  it('a webhook sends messages for Slack, in which patterns begin neither links nor mentions', async () => {
    const webhook = webhookTo({ format: 'slack' });
    webhook.send(change('<!channel>&*'));
    webhook.send(change('feed:*', 'closed'));
    await webhook.idle();
    expect(received.map(({ body }) => body)).toEqual([
      {
        text: '[warning] shop: HIT_RATE_DROP: The hit rate of &lt;!channel&gt;&amp;* is 60 %; 90 % is usual.',
        mrkdwn: false,
      },
      { text: '[over] shop: HIT_RATE_DROP of feed:* is over.', mrkdwn: false },
    ]);
  });

  it('a webhook tries again with growing pauses if the receiver returns 500, logs it once, and logs when it works again', async () => {
    answer = status(500);
    const webhook = webhookTo();
    webhook.send(change());
    const begun = clock.now();
    await arrivals(3);
    expect(clock.now() - begun).toBeGreaterThanOrEqual(5_000);
    answer = (response) => response.end();
    await arrivals(4);
    await webhook.idle();
    expect(webhook.counts).toEqual({ sent: 1, failed: 0, dropped: 0 });
    expect(logged.map((line) => line.split(':')[0])).toEqual(['WEBHOOK_FAILED', 'WEBHOOK_RESTORED']);
    expect(logged[0]).toContain('answers 500');
  });

  it('a webhook gives up an alert after five attempts and continues with the next', async () => {
    answer = (response) => status(received.length > 5 ? 200 : 503)(response);
    const webhook = webhookTo();
    webhook.send(change());
    webhook.send(change('user:*'));
    await arrivals(6);
    await webhook.idle();
    expect(received.map(({ body }) => body.alert.subject)).toEqual([...Array<string>(5).fill('feed:*'), 'user:*']);
    expect(webhook.counts).toEqual({ sent: 1, failed: 1, dropped: 0 });
  });

  it('a webhook does not try again if the receiver refuses the message itself', async () => {
    answer = status(404);
    const webhook = webhookTo();
    webhook.send(change());
    await webhook.idle();
    expect([received.length, webhook.counts.failed]).toEqual([1, 1]);
    expect(logged[0]).toContain('answers 404');
  });

  it('a webhook stops waiting for a receiver that hangs', async () => {
    answer = () => undefined;
    clock.patient = false;
    const webhook = webhookTo();
    webhook.send(change());
    await eventually(() => received.length === 1, 'the first attempt');
    await clock.advance(DEADLINE_MS);
    clock.patient = true;
    await eventually(() => logged.length === 1, 'the log');
    expect(logged[0]).toContain('has not answered within 5 s');
    answer = (response) => response.end();
    await arrivals(2);
    await webhook.idle();
    expect(webhook.counts.sent).toBe(1);
  });

  it('a webhook names the code of an unreachable receiver, and shows neither path, credentials nor headers', async () => {
    const webhook = webhookTo({ headers: { Authorization: 'secret-token' } });
    const { port } = receiver.address() as AddressInfo;
    receiver.closeAllConnections();
    await new Promise((resolve) => receiver.close(resolve));
    webhook.send(change());
    await eventually(() => logged.length === 1, 'the log');
    expect(logged[0]).toContain(`http://127.0.0.1:${port}/•••`);
    expect(logged[0]).toContain('ECONNREFUSED');
    expect(logged.join()).not.toMatch(/secret|pass-word|user|T1/);
    receiver.listen(port, '127.0.0.1');
  });

  it('a webhook keeps a hundred alerts waiting at most', async () => {
    answer = () => undefined;
    const webhook = webhookTo();
    for (let time = 0; time < 150; time++) webhook.send(change(`p${time}:*`));
    expect(webhook.counts.dropped).toBe(49);
  });

  it('a webhook that is to finish tries once more without a pause, and drops the rest if that fails', async () => {
    answer = status(500);
    const webhook = webhookTo();
    webhook.send(change());
    webhook.send(change('user:*'));
    await eventually(() => logged.length === 1, 'the first attempt');
    const begun = clock.now();
    await webhook.finish();
    expect([clock.now() - begun, received.length, clock.pending]).toEqual([0, 2, 0]);
    expect(webhook.counts).toEqual({ sent: 0, failed: 1, dropped: 1 });
  });

  it('a webhook that is to finish sends all that waits if the receiver works again', async () => {
    answer = status(500);
    const webhook = webhookTo();
    for (const subject of ['a:*', 'b:*', 'c:*']) webhook.send(change(subject));
    await eventually(() => logged.length === 1, 'the first attempt');
    answer = (response) => response.end();
    await webhook.finish();
    expect(webhook.counts).toEqual({ sent: 3, failed: 0, dropped: 0 });
  });

  it('a webhook ends at once when it is closed, with no timer left', async () => {
    answer = () => undefined;
    clock.patient = false;
    const webhook = webhookTo();
    webhook.send(change());
    webhook.send(change());
    await eventually(() => received.length === 1, 'the first attempt');
    webhook.close();
    await webhook.idle();
    expect([clock.pending, webhook.counts.dropped]).toEqual([0, 1]);
    webhook.send(change());
    expect(received).toHaveLength(1);
  });
});
