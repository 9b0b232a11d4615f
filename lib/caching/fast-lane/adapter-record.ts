import { AbstractHttpAdapter } from '@nestjs/core';
import { functionsIn } from './framework-layers.js';
import { type LaneAdapter, platformOf } from './lane-adapter.js';

type Method = (this: unknown, ...args: unknown[]) => unknown;
type AddMiddleware = (path: string, middleware: unknown) => unknown;
type FastifyLike = Record<'addHook' | 'register', Method>;
type Watched = Record<string, unknown> & { [RECORD]?: AdapterRecord };

/** Several applications may use one adapter, so the adapter carries its record. */
const RECORD = Symbol('nestjs-cache-observability:adapter-record');

/** Methods that Nest calls to add functions of its own. */
const ADD_OWN = ['initHttpServer', 'registerParserMiddleware', 'useBodyParser', 'enableCors', 'registerSecurityHook'];

/** A function of the application that the framework's own function calls, and that decides its result. */
export interface Decides {
  readonly decides: unknown;
  readonly place: string;
}

/** Records who adds which functions to one adapter, from the moment Nest has its adapter. */
export class AdapterRecord {
  readonly #adapter: LaneAdapter & Watched;
  readonly #frameworks = new WeakSet<object>();
  /** The original function, by the function with which an adapter wrapped it. */
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

  /** Functions of the application that are in no list of the framework. */
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

  /** Watches the methods that add functions. Functions that a derived class of the application adds are the application's. */
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

  /** Watches the functions that run the middleware of modules, which Nest adds from here on. */
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

  /** True if a method is the platform's own. */
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

  /** Fastify adds hooks and calls plugins later, so this records the functions passed to it during `add`. */
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
    // Fastify reads a plugin's number of parameters and its marks.
    return Object.defineProperties(recorded, Object.getOwnPropertyDescriptors(plugin));
  }
}

/** The functions of CORS options that get whole requests. A function for `origin` gets that header only. */
function delegatesOf(options: unknown): unknown[] {
  if (typeof options === 'function') return [options];
  return Object.entries((options ?? {}) as object).flatMap(([name, option]: [string, unknown]) =>
    typeof option === 'function' && name !== 'origin' ? [option] : [],
  );
}
