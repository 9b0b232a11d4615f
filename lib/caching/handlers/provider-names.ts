import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import type { ClassConstructor, ProvidedClass } from '../decoration/decorated-classes.js';
import { escapeText } from '../keys/escape.js';

/** One instance of a decorated class, or all instances of a request-scoped or transient class. */
export interface NamedClass {
  readonly cls: ClassConstructor;
  /** Identifies it. */
  readonly host: { readonly cls: ClassConstructor };
  /** Where the application provides it: an instance may have several tokens. */
  readonly mounts: readonly [ProvidedClass, ...ProvidedClass[]];
}

/** The name of a class in keys, and whether other classes or instances have the same name. */
export interface ProviderName {
  readonly name: string;
  /** The classes or instances with the same name; undefined if the name is unique. */
  readonly clash: { readonly kind: 'classes' | 'instances'; readonly places: string } | undefined;
}

/**
 * Names the classes of one application in the keys of their methods. A unique class name is used as it is. If several classes
 * have one name, the token or module that provides each of them is added to its name. So a key never depends on the order of
 * registration, and a deploy with another order does not read values of another class. If a class is provided under a token
 * other than itself, the token is always added, because another deploy may provide the same class under another token.
 */
export class ProviderNames {
  #byName: ReadonlyMap<string, readonly NamedClass[]> | undefined;

  /** @param namesOf returns the names that a class has in the keys of its methods. */
  constructor(
    private readonly providers: readonly NamedClass[],
    private readonly namesOf: (provider: NamedClass) => Iterable<string>,
  ) {}

  /** @param given the `name` of the decorator, if it has one. */
  of(host: NamedClass['host'], given: string | undefined): ProviderName {
    const name = given ?? host.cls.name;
    const provider = this.providers.find((one) => one.host === host);
    if (provider === undefined) return { name, clash: undefined };
    const others = this.#named(name).filter((other) => other !== provider);
    if (others.length > 0) return this.#among(provider, name, others);
    return { name: given === undefined ? labelOf(provider, name, 'token') : name, clash: undefined };
  }

  /** Returns the name of a class for its handlers, which several instances may share. */
  ofClass(cls: NamedClass['cls'], given: string | undefined): ProviderName {
    const name = given ?? cls.name;
    const [one, ...more] = this.providers.filter((provider) => provider.cls === cls);
    const others = this.#named(name).filter((other) => other.cls !== cls);
    if (one === undefined || others.length === 0) return { name, clash: undefined };
    const mounts: NamedClass['mounts'] = [...one.mounts, ...more.flatMap((provider) => provider.mounts)];
    return this.#among({ ...one, mounts }, name, others);
  }

  /** Computes the names on demand: HTTP handlers are named by their routes, so many applications need none. */
  #named(name: string): readonly NamedClass[] {
    this.#byName ??= this.#grouped();
    return this.#byName.get(name) ?? [];
  }

  #grouped(): ReadonlyMap<string, readonly NamedClass[]> {
    const byName = new Map<string, NamedClass[]>();
    for (const provider of this.providers) {
      for (const name of new Set(this.namesOf(provider))) {
        const named = byName.get(name);
        if (named === undefined) byName.set(name, [provider]);
        else named.push(provider);
      }
    }
    return byName;
  }

  #among(provider: NamedClass, name: string, others: readonly NamedClass[]): ProviderName {
    for (const level of ['token or module', 'token and module'] as const) {
      const label = labelOf(provider, name, level);
      if (!others.some((other) => labelOf(other, name, level) === label)) return { name: label, clash: undefined };
    }
    const kind = others.some(({ cls }) => cls !== provider.cls) ? 'classes' : 'instances';
    const places = [...new Set([provider, ...others].map((one) => placeOf(one.mounts[0])))].sort().join(', ');
    return { name, clash: { kind, places } };
  }
}

type Level = 'token' | 'token or module' | 'token and module';

/** Returns the label of an instance: the first in the alphabet if it is provided in several places. */
function labelOf({ mounts }: NamedClass, name: string, level: Level): string {
  return mounts.map((mount) => `${name}${qualifierOf(mount, level)}`).sort()[0]!;
}

function qualifierOf({ cls, module, wrapper }: ProvidedClass, level: Level): string {
  const token = tokenText(wrapper.token);
  const own = wrapper.token !== cls;
  if (level === 'token') return own ? `@${token}` : '';
  if (level === 'token or module') return `@${own ? token : escapeText(module.name)}`;
  return `@${escapeText(module.name)}/${token}`;
}

function tokenText(token: InstanceWrapper['token']): string {
  if (typeof token === 'function') return escapeText(token.name);
  if (typeof token === 'symbol') return `Symbol(${escapeText(token.description ?? '')})`;
  // Nest adds a random part to tokens such as APP_GUARD.
  return escapeText(String(token).replace(/ \(UUID: [^)]*\)$/, ''));
}

function placeOf({ module, wrapper }: ProvidedClass): string {
  const { token } = wrapper;
  const shown = typeof token === 'function' ? token.name : String(token);
  return `${shown} in ${module.name}`;
}

/** True if several instances of a class have the same dependencies. */
export function madeAlike(mounts: readonly ProvidedClass[]): boolean {
  const [first, ...others] = mounts;
  return first === undefined || others.every(({ wrapper }) => alike(first.wrapper, wrapper, 0));
}

/** The longest chain of dependencies that the comparison follows. */
const DEEPEST = 8;

function alike(one: InstanceWrapper, other: InstanceWrapper, depth: number): boolean {
  if (one === other) return true;
  if (depth > DEEPEST || one.metatype !== other.metatype || typeof one.metatype !== 'function') return false;
  if (one.token !== one.metatype || other.token !== other.metatype) return false;
  const [ours, theirs] = [dependenciesOf(one), dependenciesOf(other)];
  return (
    ours.length === theirs.length &&
    ours.every((dependency, index) => {
      const counterpart = theirs[index];
      return dependency === undefined || counterpart === undefined
        ? dependency === counterpart
        : alike(dependency, counterpart, depth + 1);
    })
  );
}

function dependenciesOf(wrapper: InstanceWrapper): (InstanceWrapper | undefined)[] {
  const injected = (wrapper.getPropertiesMetadata() as { key: unknown; wrapper: InstanceWrapper }[] | undefined) ?? [];
  const properties = [...injected].sort((a, b) => (String(a.key) < String(b.key) ? -1 : 1));
  const parameters = (wrapper.getCtorMetadata() as InstanceWrapper[] | undefined) ?? [];
  return [...parameters, ...properties.map((property) => property.wrapper)];
}
