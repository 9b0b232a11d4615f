import { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import type { OptionFault } from '../cache/options/option-rules.js';
import { declarationFaults } from '../caching/handlers/declaration-faults.js';
import { featureFaults } from '../options/module-option-rules.js';

/** Prefix of the tokens under which named caches provide their options. */
export const FEATURE_OPTIONS = 'nestjs-cache-observability:cache-options:';

/** What a provider injects for {@link declaredFaults}. */
export const DECLARING_PARTS = [ModulesContainer, ApplicationConfig, HttpAdapterHost] as const;
export type DeclaringParts = readonly [ModulesContainer, ApplicationConfig, HttpAdapterHost];

/**
 * The faults that the options of named caches and the decorators have by themselves. Whatever stops the boot first lists them too, so that one
 * boot shows all faults of options.
 * @param namespace as for {@link featureFaults}. @param except a named cache whose faults are known.
 */
export function declaredFaults(
  [modules, config, adapterHost]: DeclaringParts,
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
  return [...named, ...declarationFaults({ modules, config, adapterHost })];
}
