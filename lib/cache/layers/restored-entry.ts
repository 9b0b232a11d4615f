import type { Entry } from '../entries/entry.js';
import { restoredEntry } from '../entries/kept-entry.js';
import type { PatternClasses } from '../entries/pattern-classes.js';
import type { OnceLog } from '../base/once-log.js';
import type { PackedValue } from './encoding/packed-value.js';

/**
 * Restores the instances in an entry of a shared layer.
 * @returns undefined if the entry's pattern is not known to return one of their classes, or if their data does not fit the class.
 */
export function restored(entry: Entry, packed: PackedValue, classes: PatternClasses, log: OnceLog): Entry | undefined {
  try {
    const value = packed.restore((name, properties) => classes.prototypeOf(name, properties));
    if (value !== undefined) return restoredEntry(entry, value.value, classes);
    sayUnknown(packed, classes, log);
  } catch (cause) {
    const message = `Values of ${classes.pattern} cannot be restored from a shared layer: their data does not fit their classes. They count as absent.`;
    log.once('warn', 'UNKNOWN_CLASS', classes.pattern, message, cause);
  }
  return undefined;
}

/** A name from a layer is untrusted, so a message repeats only a possible class name. */
const NAME = /^[\w$.]{1,60}$/;

function sayUnknown(packed: PackedValue, classes: PatternClasses, log: OnceLog): void {
  const unknown = packed.classes.find((name) => classes.prototypeOf(name, () => new Set()) === undefined);
  const given = unknown?.alias ?? unknown?.name ?? '';
  const name = NAME.test(given) ? `'${given}'` : 'a class';
  log.once(
    'warn',
    'UNKNOWN_CLASS',
    classes.pattern,
    `Values of ${classes.pattern} hold instances of ${name}. No option lists this class, and this process has not returned it for this pattern yet. ` +
      'Such values count as absent. List the class in `classes` of `@Cached`, of the policy or of `forRoot`.',
  );
}
