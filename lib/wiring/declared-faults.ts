import { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import type { OptionFault } from '../cache/options/option-rules.js';
import { declarationFaults } from '../caching/handlers/declaration-faults.js';
import { featureFaults, refuse } from '../options/module-option-rules.js';
import { CronLoader } from '../warming/cron-package.js';
import { type WarmingStrategyOptions, warmingStrategyOptionsOf } from '../warming/strategy.js';
import { strategyFaults, strategySubject, takenName } from '../warming/strategy-faults.js';

/** Prefix of the tokens under which named caches provide their options. */
export const FEATURE_OPTIONS = 'nestjs-cache-observability:cache-options:';

/** What a provider injects for {@link declaredFaults}. */
export const DECLARING_PARTS = [ModulesContainer, ApplicationConfig, HttpAdapterHost] as const;
export type DeclaringParts = readonly [ModulesContainer, ApplicationConfig, HttpAdapterHost];

/**
 * Returns the faults in options of named caches, warming strategies and decorators. The first error that stops the boot lists
 * them too, so that one boot shows all faults of options.
 * @param namespace as for {@link featureFaults}. @param except a named cache whose faults are known.
 */
export function declaredFaults(
  [modules, config, adapterHost]: DeclaringParts,
  namespace: string | undefined,
  except?: string,
): OptionFault[] {
  const strategies = [
    ...strategyTexts(modules).map((text): OptionFault => ({ code: 'INVALID_OPTIONS', text })),
    ...takenNames(modules).map((text): OptionFault => ({ code: 'DUPLICATE_STRATEGY', text })),
  ];
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
  return [...named, ...strategies, ...declarationFaults({ modules, config, adapterHost }, [...features.keys()])];
}

/**
 * Call it when the module's options have no fault.
 * @throws CacheError `INVALID_OPTIONS` if warming strategies have faults. It lists these first and then all others.
 */
export function refuseStrategies(parts: DeclaringParts, namespace: string | undefined): void {
  const texts = strategyTexts(parts[0]);
  refuse(texts, () => declaredFaults(parts, namespace).filter(({ text }) => !texts.includes(text)));
}

function strategyTexts(modules: ModulesContainer): string[] {
  const cron = new CronLoader();
  return strategyTypes(modules).flatMap(({ type, options }) => {
    // The methods of instances are not checked here, because no instance exists yet.
    const faults = strategyFaults(options, { entries: () => [] }, cron);
    return faults.map((fault) => `${strategySubject(options, type)} ${fault}`);
  });
}

/** Returns a fault for each class whose strategy has the name of another strategy. */
function takenNames(modules: ModulesContainer): string[] {
  const names = new Set<string>();
  return strategyTypes(modules).flatMap(({ type, options: { name } }) => {
    if (names.has(name)) return [takenName(name, type)];
    names.add(name);
    return [];
  });
}

function strategyTypes(modules: ModulesContainer): { type: unknown; options: WarmingStrategyOptions }[] {
  const providers = [...modules.values()].flatMap((module) => [...module.providers.values()]);
  return [...new Set(providers.map(({ metatype }) => metatype))].flatMap((type) => {
    const options = warmingStrategyOptionsOf(type);
    return options === undefined ? [] : [{ type, options }];
  });
}
