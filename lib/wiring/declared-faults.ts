import type { ModulesContainer } from '@nestjs/core';
import type { OptionFault } from '../cache/options/option-rules.js';
import { allDecoratorFaults } from '../caching/decoration/decorator-faults.js';
import { featureFaults } from '../options/module-option-rules.js';

/** Prefix of the tokens under which named caches provide their options. */
export const FEATURE_OPTIONS = 'nestjs-cache-observability:cache-options:';

/**
 * The faults that the options of named caches and of decorators have by themselves. Whatever stops the boot first lists them too, so that one
 * boot shows all faults of options.
 * @param namespace as for {@link featureFaults}. @param except a named cache whose faults are known.
 */
export function declaredFaults(
  modules: ModulesContainer,
  namespace: string | undefined,
  except?: string,
): OptionFault[] {
  const features = new Map<string, unknown>();
  for (const { providers } of modules.values()) {
    for (const [token, { instance }] of providers) {
      if (typeof token === 'string' && token.startsWith(FEATURE_OPTIONS))
        features.set(token.slice(FEATURE_OPTIONS.length), instance);
    }
  }
  const named = [...features].flatMap(([name, options]) =>
    name === except
      ? []
      : featureFaults(name, options, namespace).map(({ code, text }) => ({
          code,
          text: `forFeature('${name}'): ${text}`,
        })),
  );
  return [...named, ...allDecoratorFaults(modules)];
}
