import type { OptionFault } from '../../cache/options/option-rules.js';
import { methodName, type MethodSite } from './method-site.js';

/** Returns the faults of a decorator's options that are known without an application, each with the decorator's place. */
export function decoratorFaults({ kind, declaredBy, method, optionFaults }: MethodSite): OptionFault[] {
  const decorator = kind === 'cached' ? '@Cached' : '@CacheInvalidate';
  const owner = `${declaredBy.name}.${methodName(method)}()`;
  return optionFaults.map(({ code, text }) => ({ code, text: `${owner}: ${decorator}: ${text}` }));
}

/** Makes a sentence of a fault's text: adds a full stop unless the text ends with a question mark. */
export function sentence(text: string): string {
  return text.endsWith('?') ? text : `${text}.`;
}
