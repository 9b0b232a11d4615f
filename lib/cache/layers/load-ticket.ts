import type { LoadTicket } from './layer.js';

/** What a write carries that waited: it may replace nothing that is newer than the moment it was made. */
export interface AsOf {
  /** This process' time. */
  readonly asOf: number;
}

/** A ticket for a write that is made now and sent later. */
export function ticketAsOf(layer: string, now: number): LoadTicket {
  return new Map([[layer, { asOf: now } satisfies AsOf]]);
}

export function isAsOf(ticket: unknown): ticket is AsOf {
  return typeof ticket === 'object' && ticket !== null && 'asOf' in ticket;
}
