import type { FaultList } from '../keys/key-design.js';
import { type KeyTemplate, overlap } from '../keys/key-template.js';

/** One method of one class: provided twice, it writes the same keys with the same values. */
export interface KeySubject {
  readonly site: object;
  readonly cls: object;
}

/** The templates of one application: no two handlers may write the same key. */
export class WholeKeys {
  readonly #known: { readonly owner: string; readonly subject: KeySubject; readonly template: KeyTemplate }[] = [];

  /** @param owner for messages. */
  claim(template: KeyTemplate, owner: string, subject: KeySubject, faults: FaultList): void {
    for (const known of this.#known) {
      if (isSame(known.subject, subject) || !overlap(known.template, template)) continue;
      faults.add(
        'DUPLICATE_TEMPLATE',
        `${owner} ('${template.text}') and ${known.owner} ('${known.template.text}') can write the same keys, so one would get ` +
          `the other's values. Give one of them another prefix.`,
      );
    }
    this.#known.push({ owner, subject, template });
  }
}

function isSame(one: KeySubject, other: KeySubject): boolean {
  return one.site === other.site && one.cls === other.cls;
}

/** Names of classes and routes in keys, each given to one subject; a later one of the same name is numbered. */
export class KeyNames {
  readonly #owners = new Map<string, unknown>();

  /** The name, or `name#2` where another subject has it. */
  claim(name: string, subject: unknown): string {
    for (let number = 1; ; number++) {
      const claimed = number === 1 ? name : `${name}#${number}`;
      const owner = this.#owners.get(claimed);
      if (owner === undefined) this.#owners.set(claimed, subject);
      if (owner === undefined || owner === subject) return claimed;
    }
  }
}
