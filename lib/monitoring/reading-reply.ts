import { Inject, Injectable } from '@nestjs/common';
import type { MonitoringRequest } from './parameters.js';
import { type ReadingName, Readings } from './readings.js';
import { Reply } from './reply.js';
import { maxAgeOf } from './shared-answers.js';

/** Answers a request with what a route reads. */
@Injectable()
export class ReadingReply {
  constructor(
    @Inject(Readings) private readonly readings: Readings,
    @Inject(Reply) private readonly reply: Reply,
  ) {}

  async send(name: ReadingName, request: MonitoringRequest, response: unknown): Promise<void> {
    const maxAgeMs = maxAgeOf(request.headers ?? {}) ?? 0;
    const { text, instances } = await this.readings.read(name, request, maxAgeMs);
    if (instances !== undefined) this.reply.header(response, 'X-Cache-Instances', String(instances));
    this.reply.text(response, text, 'application/json; charset=utf-8');
  }
}
