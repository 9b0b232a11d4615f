import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';

export interface StreamedEvent {
  readonly event: string;
  readonly data: any;
}

/** A client of the event stream with its own connection. */
export class EventStream {
  readonly events: StreamedEvent[] = [];
  readonly response: IncomingMessage;
  ended = false;
  #rest = '';

  private constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => this.#read(chunk));
    response.on('close', () => (this.ended = true));
    response.on('error', () => undefined);
  }

  /** The application must listen. */
  static async open(app: INestApplication, path = '/cache/events', headers = {}): Promise<EventStream> {
    const { port } = app.getHttpServer().address() as AddressInfo;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ host: '127.0.0.1', port, path, headers, agent: false }, resolve).on('error', reject);
    });
    return new EventStream(response);
  }

  of(event: string): any[] {
    return this.events.filter((each) => each.event === event).map(({ data }) => data);
  }

  close(): void {
    this.response.destroy();
  }

  #read(chunk: string): void {
    const frames = (this.#rest + chunk).split('\n\n');
    this.#rest = frames.pop()!;
    for (const frame of frames) {
      const fields = new Map(
        frame.split('\n').map((line) => [line.split(': ')[0]!, line.slice(line.indexOf(': ') + 2)]),
      );
      const event = fields.get('event');
      if (event !== undefined) this.events.push({ event, data: JSON.parse(fields.get('data')!) });
    }
  }
}
