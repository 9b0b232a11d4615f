import type { ModulesContainer } from '@nestjs/core';
import type { OptionFault } from '../../cache/options/option-rules.js';
import { decoratedClasses, providedMethods } from './decorated-classes.js';
import { methodName, type MethodSite } from './method-site.js';

/** The faults that the options of a decorator have by themselves, each with the place of the decorator. */
export function decoratorFaults({ kind, declaredBy, method, optionFaults }: MethodSite): OptionFault[] {
  const decorator = kind === 'cached' ? '@Cached' : '@CacheInvalidate';
  const owner = `${declaredBy.name}.${methodName(method)}()`;
  return optionFaults.map(({ code, text }) => ({ code, text: `${owner}: ${decorator}: ${text}` }));
}

/** Those of every decorator of an application: known before its providers exist and its handlers are compiled. */
export function allDecoratorFaults(modules: ModulesContainer): OptionFault[] {
  const methods = decoratedClasses(modules).flatMap(({ cls }) => providedMethods(cls));
  const sites = methods.flatMap(({ cached, invalidating }) => [
    ...invalidating,
    ...(cached === undefined ? [] : [cached]),
  ]);
  return [...new Set<MethodSite>(sites)].flatMap(decoratorFaults);
}
