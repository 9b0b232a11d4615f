import { Logger } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { LogEntry } from '../../cache/base/log-entry.js';
import { CachingLink } from './class-host.js';
import { decoratedClasses } from './decorated-classes.js';

const warned = new WeakSet<ModulesContainer>();

/** Warns once of an application with decorated classes and without this module. */
export function warnWithoutModule(modules: ModulesContainer): void {
  if (warned.has(modules) || [...modules.values()].some(({ providers }) => providers.has(CachingLink))) return;
  warned.add(modules);
  const names = [...new Set(decoratedClasses(modules).map(({ cls }) => cls.name))];
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  new Logger('CacheObservability').warn(
    new LogEntry(
      'NO_MODULE',
      `${names.slice(0, SHOWN).join(', ')}${more} use @Cached or @CacheInvalidate, but no module imports CacheObservabilityModule: they run ` +
        'uncached. Import CacheObservabilityModule.forRoot() in the root module.',
    ),
  );
}

const SHOWN = 5;
