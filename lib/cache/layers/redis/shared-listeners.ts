type Listener = (...args: never[]) => void;

/** The events of a client, whichever package it is of. */
export interface Emitter {
  on(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
  listenerCount(event: string): number;
}

interface Heard {
  readonly listeners: Set<Listener>;
  readonly pass: Listener;
}

const heard = new WeakMap<Emitter, Map<string, Heard>>();

/** Listens to a client through one listener per event, however many caches share the client: Node warns of more than ten. */
export function listenTo(client: Emitter, event: string, listener: Listener): void {
  const events = heard.get(client) ?? new Map<string, Heard>();
  heard.set(client, events);
  let found = events.get(event);
  if (found === undefined) {
    const listeners = new Set<Listener>();
    const pass: Listener = (...args) => {
      for (const each of [...listeners]) each(...args);
    };
    found = { listeners, pass };
    events.set(event, found);
    client.on(event, pass);
  }
  found.listeners.add(listener);
}

export function stopListening(client: Emitter, event: string, listener: Listener): void {
  const events = heard.get(client);
  const found = events?.get(event);
  if (events === undefined || found === undefined) return;
  found.listeners.delete(listener);
  if (found.listeners.size > 0) return;
  events.delete(event);
  client.off(event, found.pass);
}
