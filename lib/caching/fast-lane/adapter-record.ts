import { AbstractHttpAdapter } from '@nestjs/core';
import { functionsIn } from './framework-layers.js';
import { type LaneAdapter, platformOf } from './lane-adapter.js';

type Method = (this: unknown, ...args: unknown[]) => unknown;
type AddMiddleware = (path: string, middleware: unknown) => unknown;
type FastifyLike = Record<'addHook' | 'register', Method>;
type Watched = Record<string, unknown> & { [RECORD]?: AdapterRecord };

/** The property of an adapter that holds its record, because several applications may use one adapter. */
const RECORD = Symbol('nestjs-cache-observability:adapter-record');

/** The methods through which Nest adds its own functions. */
const ADD_OWN = ['initHttpServer', 'registerParserMiddleware', 'useBodyParser', 'enableCors', 'registerSecurityHook'];

/** A function of the application that a function of the framework calls, and whose result decides. */
export interface Decides {
  readonly decides: unknown;
  readonly place: string;
}

/** Records who adds which functions to one adapter. */
export class AdapterRecord {
  readonly #adapter: LaneAdapter & Watched;
  readonly #frameworks = new WeakSet<object>();
  /** The original functions, by the functions with which an adapter wrapped them. */
  readonly #given = new WeakMap<object, object>();
  readonly #called = new Set<string>();
  readonly #delegates: unknown[] = [];
  #watched = false;

  static of(adapter: LaneAdapter): AdapterRecord {
    const watched = adapter as LaneAdapter & Watched;
    return (watched[RECORD] ??= new AdapterRecord(watched));
  }

  private constructor(adapter: LaneAdapter & Watched) {
    this.#adapter = adapter;
  }

  isFrameworks(subject: unknown): boolean {
    return typeof subject === 'function' && this.#frameworks.has(subject);
  }

  /** The function that the application passed, if the adapter wrapped it. */
  given(subject: unknown): unknown {
    return typeof subject === 'function' ? (this.#given.get(subject) ?? subject) : subject;
  }

  /** Returns functions of the application that are in no list of the framework. */
  deciding(): Decides[] {
    const { corsHook, securityHook } = this.#adapter;
    const unseen = (method: string, hook: unknown, place: string): Decides[] =>
      typeof hook === 'function' && !this.#called.has(method) ? [{ decides: hook, place }] : [];
    return [
      ...this.#delegates.map((decides) => ({ decides, place: 'the delegate of enableCors()' })),
      ...unseen('enableCors', corsHook, 'CORS that was enabled before the application was created'),
      ...unseen(
        'registerSecurityHook',
        securityHook,
        'a security hook that was added before the application was created',
      ),
    ];
  }

  /**
   * Watches the methods that add functions. If the application overrides such a method, the functions that it adds are the
   * application's.
   */
  watch(): void {
    if (this.#watched || !this.#isPlatforms('use')) return;
    this.#watched = true;
    const adapter: Watched = this.#adapter;
    for (const name of ADD_OWN.filter((one) => this.#isPlatforms(one))) {
      const add = adapter[name] as Method;
      adapter[name] = (...args: unknown[]) => {
        this.#called.add(name);
        if (name === 'enableCors') this.#delegates.push(...delegatesOf(args[0]));
        return this.#recorded(() => add.apply(adapter, args));
      };
    }
    const use = adapter.use as Method;
    adapter.use = (...args: unknown[]) => {
      const before = new Set(functionsIn(this.#adapter));
      const result = use.apply(adapter, args);
      const added = functionsIn(this.#adapter).filter((one) => !before.has(one));
      const given = (args.flat(Infinity) as unknown[]).filter((one) => typeof one === 'function');
      if (added.length === given.length) for (const [at, one] of added.entries()) this.#given.set(one, given[at]!);
      return result;
    };
  }

  /** Records the functions that Nest adds from now on to run the middleware of modules. */
  watchModules(): void {
    const adapter: Watched = this.#adapter;
    const factory = adapter.createMiddlewareFactory as Method | undefined;
    if (factory === undefined) return;
    const watched =
      (add: AddMiddleware): AddMiddleware =>
      (path, middleware) =>
        this.#recorded(() => add(path, middleware));
    adapter.createMiddlewareFactory = (...args: unknown[]) => {
      const made = factory.apply(adapter, args) as AddMiddleware | Promise<AddMiddleware>;
      return made instanceof Promise ? made.then(watched) : watched(made);
    };
  }

  /** True if the method is the platform's own, not overridden. */
  #isPlatforms(name: string): boolean {
    const platform = platformOf(this.#adapter);
    const method = this.#adapter[name];
    return (
      platform !== undefined &&
      typeof method === 'function' &&
      (method === (platform as Watched)[name] || method === (AbstractHttpAdapter.prototype as unknown as Watched)[name])
    );
  }

  #recorded<T>(add: () => T): T {
    const before = new Set(functionsIn(this.#adapter));
    const instance = this.#adapter.getInstance() as FastifyLike;
    try {
      return this.#adapter.getType() === 'fastify' ? this.#recordedFastify(instance, add) : add();
    } finally {
      for (const one of functionsIn(this.#adapter)) if (!before.has(one)) this.#frameworks.add(one);
    }
  }

  /** Calls `add` and records the functions that it passes to Fastify, which adds hooks and calls plugins later. */
  #recordedFastify<T>(instance: FastifyLike, add: () => T): T {
    const { addHook, register } = instance;
    instance.addHook = (...args) => {
      for (const one of args) if (typeof one === 'function') this.#frameworks.add(one);
      return addHook.apply(instance, args);
    };
    instance.register = (plugin, ...rest) => register.call(instance, this.#recordedPlugin(plugin), ...rest);
    try {
      return add();
    } finally {
      Object.assign(instance, { addHook, register });
    }
  }

  #recordedPlugin(plugin: unknown): unknown {
    if (plugin instanceof Promise)
      return plugin.then((loaded: { readonly default?: unknown }) => this.#recordedPlugin(loaded.default ?? loaded));
    if (typeof plugin !== 'function') return plugin;
    const recorded = (instance: FastifyLike, ...rest: unknown[]): unknown =>
      this.#recordedFastify(instance, () => (plugin as Method)(instance, ...rest));
    // Fastify reads a plugin's `length` and its symbols.
    return Object.defineProperties(recorded, Object.getOwnPropertyDescriptors(plugin));
  }
}

/** Returns the functions among CORS options that get whole requests. A function in `origin` gets only that header. */
function delegatesOf(options: unknown): unknown[] {
  if (typeof options === 'function') return [options];
  return Object.entries((options ?? {}) as object).flatMap(([name, option]: [string, unknown]) =>
    typeof option === 'function' && name !== 'origin' ? [option] : [],
  );
}
