import type { OptionFault } from '../../cache/options/option-rules.js';
import { methodName, type MethodSite } from './method-site.js';

/** The faults that the options of a decorator have by themselves, each with the place of the decorator. */
export function decoratorFaults({ kind, declaredBy, method, optionFaults }: MethodSite): OptionFault[] {
  const decorator = kind === 'cached' ? '@Cached' : '@CacheInvalidate';
  const owner = `${declaredBy.name}.${methodName(method)}()`;
  return optionFaults.map(({ code, text }) => ({ code, text: `${owner}: ${decorator}: ${text}` }));
}

/** The text of a fault as a sentence: one that ends with a question is one. */
export function sentence(text: string): string {
  return text.endsWith('?') ? text : `${text}.`;
}
