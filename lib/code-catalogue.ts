/*
 * Every code of this library, once: what it means, what causes it and what to do. `npm run docs:codes` writes the reference page
 * from it, and a test compares both. Nothing reads it while an application runs: each place that raises a code has its own message,
 * and the compiler accepts there only codes that are explained here.
 */
import type { CacheErrorCode } from './cache/base/errors.js';
import type { LogCode } from './cache/base/log-codes.js';
import type { BatchRejection } from './cache/writes/batch-entry.js';
import type { AdviceCode, HealthWarning } from './metrics/snapshot.js';
import type { MonitoringErrorCode } from './monitoring/monitoring-error.js';
import type { WarmingFailure } from './warming/warming-report.js';

/** Every code that an error, a log line, an answer of a route, an alert, a health warning or a recommendation can have. */
export type Code =
  | CacheErrorCode
  | LogCode
  | BatchRejection['code']
  | WarmingFailure['code']
  | MonitoringErrorCode
  | HealthWarning['code']
  | AdviceCode;

/** Sections of the reference page, in its order. */
export const SECTIONS = [
  { title: 'At boot' },
  { title: 'Keys and values' },
  { title: 'Loads' },
  { title: 'Layers' },
  { title: 'Handlers while they run' },
  { title: 'Warming' },
  { title: 'Metrics, exporters and other instances' },
  {
    title: 'Answers of the routes',
    text: 'The routes also answer with codes above: `UNKNOWN_STRATEGY`, `INVALID_KEY` and `KEY_TOO_LONG` (400), `FLEET_OFF` and `TOO_MANY_OVERRIDES` (409), `POLICY_OUT_OF_BOUNDS` (400), `NOT_OVERRIDDEN` (404), and `WARMING_ABORTED`, `CACHE_CLOSED`, `CIRCUIT_OPEN`, `LAYER_UNAVAILABLE`, `LAYER_TIMEOUT` and `FLEET_UNAVAILABLE` (503).',
  },
  {
    title: 'Alerts',
    text: '`code` of [alerts](../alerts.md), beside the health warnings below; and what is logged of them. The severity of each is that of its alert.',
  },
  {
    title: 'Health warnings',
    text: 'In `warnings` of `GET /cache/health` and `alerts` of `GET /cache/realtime`, with the status that health has meanwhile; those that last are [alerts](../alerts.md), which have a severity. `CIRCUIT_OPEN`, `SWEEP_PENDING`, `INVALIDATIONS_PENDING`, `BUS_NOT_SENT` and `BUS_UNREACHABLE` are above.',
  },
  {
    title: 'Recommendations',
    text: '`code` of `GET /cache/insights` and of `GET /cache/stats/low-performers`. `NOT_CACHED` is above. What each is drawn from, and when it misleads: [recommendations](../recommendations.md).',
  },
] as const satisfies readonly { title: string; text?: string }[];

export interface Explanation {
  /** The title of its section. */
  readonly section: (typeof SECTIONS)[number]['title'];
  /** Where it appears (error, log line, answer, alert) and what it says. Markdown, as the rest. */
  readonly meaning: string;
  readonly cause: string;
  readonly remedy: string;
}

export const CODES: Readonly<Record<Code, Explanation>> = {
  INVALID_OPTIONS: {
    section: 'At boot',
    meaning:
      'Error at boot or of a call; a log line if `ttl`, `tags` or `cacheIf` of a handler failed. An option is unknown, missing or out of range, or two options contradict each other. The message lists every fault: its place, what was given, what is allowed, and the nearest known name.',
    cause:
      'a typing error, or a variable of the environment that is not set. In the log: your function threw or returned a promise.',
    remedy: 'correct each line of the message. [Options](options.md) lists what is allowed.',
  },
  INVALID_DURATION: {
    section: 'At boot',
    meaning: "Error at boot or of a call. A time is neither milliseconds, zero or more, nor a string such as `'30s'`.",
    cause: 'a string without a unit, a negative number, `NaN`.',
    remedy: "write `30_000` or `'30s'`, `'5m'`, `'24h'`.",
  },
  INVALID_TEMPLATE: {
    section: 'At boot',
    meaning:
      'Error at boot. The pattern of `@Cached`, or a template in `tags`, `vary`, `ignore` or `@CacheInvalidate`, is wrong.',
    cause:
      'unbalanced braces, a lone surrogate, a placeholder that names nothing (`{foo.id}`, a parameter that the route does not have, a field that the declared result does not have), a declared input that the template leaves out, or `@Cached` on a static member or an accessor.',
    remedy:
      'name what the message lists as known. Name each declared input in the template, or list it in `ignore` if it does not change the answer. If your middleware adds a property to requests, name it in `vary`, or end the placeholder with `?`.',
  },
  DUPLICATE_TEMPLATE: {
    section: 'At boot',
    meaning: 'Error at boot. Two handlers can write the same keys, or one method has two `@Cached`.',
    cause: "two templates that can make the same text, such as `'product:{params.id}'` on two handlers.",
    remedy: 'give one of them another prefix.',
  },
  DUPLICATE_NAME: {
    section: 'At boot',
    meaning: 'Error at boot. Several classes or instances would have the same keys.',
    cause:
      'two classes of one name with the same pattern, or several instances of one class with different dependencies.',
    remedy:
      "add `name` to `@Cached`, an own `key`, or what distinguishes the instances: `vary: 'this.tenant'`. `shared: true` if all of them return the same.",
  },
  UNSAFE_HANDLER: {
    section: 'At boot',
    meaning:
      'Error at boot. One caller could get the answer of another: the handler reads an input that can identify its caller.',
    cause:
      '`@Req()`, `@Headers()` without a name, `@Session()`, a custom decorator, or a request-scoped or transient class.',
    remedy: 'add `vary`, `key` or `shared: true`. See [decorators](decorators.md#answers-that-depend-on-the-caller).',
  },
  SYNC_METHOD: {
    section: 'At boot',
    meaning:
      'Error at boot. A cached method of a provider is declared to return a plain value, but a cached method always returns a promise.',
    cause: '`@Cached` on `total(): number`.',
    remedy: 'declare `async total(): Promise<number>` and await it, or remove `@Cached`.',
  },
  FAST_LANE_REFUSED: {
    section: 'At boot',
    meaning: 'Error at boot. A handler with `fastLane` has something in front of it that must see every request.',
    cause:
      'a guard, an interceptor, a delegate for CORS options, or middleware that is not skipped. Own body parsers and an own `cors()` are middleware of the application, too.',
    remedy:
      'remove `fastLane` from that handler, or list the middleware in `skipMiddleware`. The message names each; for a function without a name it gives the position (`layer 4 of the Express router`, `number 2 of the onRequest hooks of Fastify`): give it a name.',
  },
  MISSING_PACKAGE: {
    section: 'At boot',
    meaning:
      'Error at boot, or when the feature is first used; for `warm` of a handler a warning at boot. A feature needs a package that is not installed. The message names both.',
    cause:
      'an optional peer is missing: `hot-shots`, `@nestjs/swagger`, `@nestjs/terminus`, `@opentelemetry/api`, `light-my-request`.',
    remedy:
      'install the package that the message names; of those of Nest, the [version that fits](../upgrading.md#versions-of-nest-packages).',
  },
  LAYER_REQUIRED: {
    section: 'At boot',
    meaning: 'Error at boot. A layer with `required: true` cannot be reached.',
    cause: 'its server is down, its address or its credentials are wrong. The cause of the error says which.',
    remedy: 'start or correct the server, or remove `required`: the application then starts without it.',
  },
  DUPLICATE_STRATEGY: {
    section: 'At boot',
    meaning: 'Error at boot or of `CacheWarmer.register()`. Two warming strategies have one name.',
    cause: 'the same `name` in two `@WarmingStrategy`.',
    remedy: 'give one of them another name.',
  },
  CACHE_READY: {
    section: 'At boot',
    meaning:
      'Log, at boot. One line says what the module does in this application: layers with masked addresses and bounds, namespace, numbers of handlers and methods, the paths of routes and metrics, and who may change something.',
    cause: 'the application started.',
    remedy: 'none is needed.',
  },
  NO_MODULE: {
    section: 'At boot',
    meaning:
      'Log, warning at boot. Classes use `@Cached` or `@CacheInvalidate`, but no module imports `CacheObservabilityModule`: they run uncached.',
    cause: 'the import is missing.',
    remedy: 'import `CacheObservabilityModule.forRoot()` in the root module.',
  },
  MODULE_TWICE: {
    section: 'At boot',
    meaning:
      'Log, warning at boot. The module is registered several times in one application: each has a cache, metrics and routes of its own.',
    cause: '`forRoot()` in several modules.',
    remedy: 'call `forRoot()` once, in the root module.',
  },
  SEVERAL_VERSIONS: {
    section: 'At boot',
    meaning:
      'Log, warning at boot. Two versions of this package are loaded in one process. One does not know what the other decorates.',
    cause: 'two copies below `node_modules`.',
    remedy: '`npm ls nestjs-cache-observability` shows them; keep one.',
  },
  WRITES_OPEN: {
    section: 'At boot',
    meaning:
      'Log, warning at boot. Routes that change the cache (`POST /cache/invalidate`, policies …) are open to direct requests from this machine.',
    cause: '`NODE_ENV` is not set, and nothing protects these routes.',
    remedy:
      'set `NODE_ENV`: `development` and `test` open them, anything else closes them. Or set `monitoring.guards` or `monitoring.writeGuards`. See [security](../security.md).',
  },
  UNOBSERVED_CACHE: {
    section: 'At boot',
    meaning: 'Log, warning. The application imports the `CacheModule` of `@nestjs/cache-manager` beside this module.',
    cause: 'what injects its `CACHE_MANAGER` uses a cache that is not observed.',
    remedy: "remove that `CacheModule`, or observe it with `cache: 'app'`.",
  },
  MODULE_NOT_IMPORTED: {
    section: 'At boot',
    meaning: 'Log, warning. The cached methods of a class run uncached.',
    cause: '`isGlobal: false`, and the module of the class does not import `CacheObservabilityModule`.',
    remedy: 'import it there, or leave `isGlobal` at `true`.',
  },
  INSTANCE_UNKNOWN: {
    section: 'At boot',
    meaning: 'Log, warning. The cached methods of an instance run uncached.',
    cause:
      'the application does not provide the instance: `ModuleRef.create()` made it, or a module that was loaded after the start. Such instances may have state of their own, and would share their keys.',
    remedy:
      "name what differs (`vary: 'this.tenant'`, `{this.tenant}`, `key`), or set `shared: true` if nothing differs.",
  },
  INSTANCE_NOT_EXTENSIBLE: {
    section: 'At boot',
    meaning: 'Log, warning. The cached methods of an instance run uncached.',
    cause: 'the instance is frozen or sealed.',
    remedy: 'do not freeze it, or remove `@Cached`.',
  },
  NEVER_CACHED: {
    section: 'At boot',
    meaning: 'Log, warning at boot. A handler with `@Cached` is never cached.',
    cause:
      'server-sent events, `@Render`, `@Redirect`, `@Res()` without `passthrough`, a status that is not cached, an event handler, or a GraphQL mutation or subscription.',
    remedy: 'return the value, or remove `@Cached`.',
  },
  METHOD_NOT_CACHED: {
    section: 'At boot',
    meaning: 'Log, warning at boot. The HTTP method of a handler is not among those that are cached.',
    cause: '`@Post()` with `@Cached`: GET and HEAD are the default.',
    remedy: "add `methods: ['POST']`, if equal requests may share an answer.",
  },
  NO_BACKGROUND_LOADS: {
    section: 'At boot',
    meaning: 'Log, warning at boot. A handler that holds its response is not refreshed in the background.',
    cause: '`@Res({ passthrough: true })` together with `staleWhileRevalidate`, `softTimeout` or `refreshAhead`.',
    remedy: 'remove `@Res()`, or those options.',
  },
  WHOLE_QUERY: {
    section: 'At boot',
    meaning: 'Log, hint at boot. Each query parameter that a caller sends makes another key.',
    cause: '`@Query()` without a name.',
    remedy: "name the parameters that change the answer: `query: ['page', 'limit']`. The hint suggests them.",
  },
  UNKNOWN_TAG: {
    section: 'At boot',
    meaning: 'Log, hint or warning at boot. `@CacheInvalidate` names a tag that no handler and no method sets.',
    cause: 'a typing error, or code sets the tag, as in `getOrSet(key, load, { tags })`.',
    remedy: 'correct the name. Ignore the hint if code sets the tag.',
  },
  VARY_UNKNOWN: {
    section: 'At boot',
    meaning:
      'Log, warning at boot. A path in `vary` begins with a name that requests do not have by themselves, and that resembles one that they have.',
    cause: 'a typing error: then every request bypasses the cache. Or middleware adds the property.',
    remedy: 'correct the path. Ignore the warning if middleware of yours adds the property.',
  },
  UNKNOWN_KEYS: {
    section: 'At boot',
    meaning:
      'Log, warning at boot. `@CacheInvalidate` names keys or a glob that no handler and no method makes, but a similar one is made.',
    cause: 'a typing error: then old values stay. Or code writes such keys, as in `cache.set(key, value)`.',
    remedy: 'correct the name. Ignore the warning if code writes such keys.',
  },
  INVALID_KEY: {
    section: 'Keys and values',
    meaning:
      'Error of a call; 400 of a route. A key, glob or tag is not text, is empty, or is not well-formed Unicode.',
    cause: '`undefined` as key, or text cut in the middle of a character.',
    remedy: 'use text that UTF-8 can hold. Requests with such input bypass the cache by themselves.',
  },
  KEY_TOO_LONG: {
    section: 'Keys and values',
    meaning: 'Error of a call; 400 of a route. A key, glob or tag has more than 64 KiB of UTF-8.',
    cause: 'a whole document as key.',
    remedy: 'use a hash of the long part. Keys of `@Cached` are shortened by themselves.',
  },
  ARGUMENT_NOT_ENCODABLE: {
    section: 'Keys and values',
    meaning: 'Error of a cached method. An argument cannot be part of a key.',
    cause:
      'an argument holds a function, a symbol, a promise, a stream, itself, or an instance whose state cannot be seen.',
    remedy: "name what the answer depends on, `'prefix:{0.id}'` with the rest in `ignore`, or give an own `key`.",
  },
  KEY_FAILED: {
    section: 'Keys and values',
    meaning: 'Log, warning. The key of a handler could not be computed, so such calls run the handler.',
    cause: 'your `key` or `vary` function threw, or an input cannot be encoded.',
    remedy: 'the cause in the line names the class of the error and its place.',
  },
  VARY_UNDEFINED: {
    section: 'Keys and values',
    meaning:
      'Log, warning. A path in `vary` or in a template was undefined, so the call bypassed the cache, as every such call does.',
    cause: 'a typing error in the path, or callers that are not signed in.',
    remedy: "correct the path, or write `'user.id?'` if undefined is a valid value.",
  },
  ALWAYS_BYPASSED: {
    section: 'Keys and values',
    meaning:
      'Log, warning, once for a handler. Its requests bypass the cache: the first request with `Authorization` of a handler whose `vary` or `key` does not name the caller, or each of its first 20 requests for one `reason`.',
    cause:
      'a typing error in `vary`, or callers that send `Authorization`, a method that is not cached, or `Cache-Control: no-store` with `honorRequestDirectives`.',
    remedy:
      "name the caller in `vary`, such as `'user.id'`, or set `shared: true` if all callers get the same. See [answers that depend on the caller](decorators.md#answers-that-depend-on-the-caller).",
  },
  VALUE_NOT_SERIALIZABLE: {
    section: 'Keys and values',
    meaning: 'Error of `set`; a log line for loads. The value is returned to its caller and not kept.',
    cause: 'it holds a function, a stream, private members, or something else that no copy can equal.',
    remedy:
      'return plain data, or list the class with `encode` and `decode`. See [values](../values.md#what-no-copy-can-equal).',
  },
  UNKNOWN_CLASS: {
    section: 'Keys and values',
    meaning:
      'Log, warning. Values in a shared layer hold instances of a class that this process does not know for the pattern. They are misses.',
    cause: 'another process stored them, or the class has changed since.',
    remedy: 'list the class in `classes` of `@Cached`, `policy` or `forRoot`.',
  },
  CLASSES_LOST: {
    section: 'Keys and values',
    meaning:
      'Log, warning. A store of an adopted cache returns instances as plain objects, so values with instances are not kept there.',
    cause: 'a store that keeps JSON.',
    remedy: 'use layers of this library, or cache plain data.',
  },
  UNDECODABLE_VALUE: {
    section: 'Keys and values',
    meaning:
      'Log, warning. A layer holds a value that cannot be read. It counts as absent and in `cache_layer_undecodable_total`.',
    cause: 'another release, another codec, or another application wrote under the same keys.',
    remedy: 'none is needed: the next write replaces it. Use a `namespace` of its own for each application.',
  },
  ENTRY_TOO_LARGE: {
    section: 'Keys and values',
    meaning:
      'Log, warning; in reports of warming and batches. The value is larger than `maxEntrySize`, or in memory than a tenth of `maxBytes`, and was not kept.',
    cause: 'a large value.',
    remedy: 'cache less of it, raise `maxBytes`, or set `maxEntrySize` if such values must be stored.',
  },
  NOT_CACHEABLE: {
    section: 'Keys and values',
    meaning: 'In reports of warming and batches. The policy of the handler refuses the value.',
    cause: '`cacheIf` returned false, or `negativeTtl` refuses empty values.',
    remedy: 'none, if that is intended.',
  },
  INVALIDATED: {
    section: 'Keys and values',
    meaning:
      'In reports of warming and batches. The value was not kept, because its key, tag or glob was invalidated after its load had begun.',
    cause: 'a change during the run.',
    remedy: 'none is needed: the next run or request loads the new value.',
  },
  LOAD_TIMEOUT: {
    section: 'Loads',
    meaning: 'Error of a call. A load took longer than `hardTimeout`, and there was no stale value to serve.',
    cause: 'a slow origin, or a layer or a lock that took the time.',
    remedy: 'add `staleIfError` and `softTimeout`, or raise `hardTimeout`.',
  },
  ORIGIN_FAILED: {
    section: 'Loads',
    meaning: 'Log, warning. A load failed, and the last value is served as long as `staleIfError` allows.',
    cause: 'the loader or the handler threw.',
    remedy:
      'repair the origin. The line names the class of the error; the error itself reaches callers that have no value to get.',
  },
  LOCK_UNREACHABLE: {
    section: 'Loads',
    meaning: 'Log, warning. Loads run without their lock between processes.',
    cause: '`lock: true`, and the layer that holds the lock does not answer.',
    remedy: 'restore the layer. Until then each process loads once.',
  },
  CACHE_CLOSED: {
    section: 'Loads',
    meaning: 'Error of a call; 503 of a route; a log line if a layer did not close in time.',
    cause: "the application is closing. With `cache: 'app'`: the cache was used in a constructor, before it exists.",
    remedy: 'do not load after `app.close()`; use an adopted cache from `onModuleInit` on.',
  },
  LAYER_FAILED: {
    section: 'Layers',
    meaning:
      'Log, warning. A layer that is connected failed, or a store could not be reached at start; requests go on without it.',
    cause: 'the cause in the line: refused, timeout, an error of the server.',
    remedy: 'restore the server. `LAYER_RESTORED` follows.',
  },
  LAYER_LOST: {
    section: 'Layers',
    meaning:
      'Log, warning. A layer has no connection, at start or later, and connects again when it can. While that lasts, what only follows from it (layer, subscription, locks, policies, warm start, fleet, writes of metrics) is not logged beside it; `GET /cache/health` has all of it. What makes the memory of other processes outdated (`BUS_NOT_SENT`) or is lost for good is logged (`METRICS_NOT_RESTORED`; `METRICS_NOT_STORED`, `INVALIDATIONS_LOST` and `WRITES_LOST` at the end).',
    cause:
      'the line names the address and the cause: refused, unknown host, TLS, password, permission, scheme, timeout, cluster.',
    remedy: 'what the line says. `LAYER_RESTORED` follows.',
  },
  LAYER_RESTORED: {
    section: 'Layers',
    meaning:
      'Log. A layer is connected, or answers, again, and has for two seconds: once an outage, with `CIRCUIT_CLOSED` after it.',
    cause: 'its server is back.',
    remedy: 'none is needed.',
  },
  NO_SERVER_FIGURES: {
    section: 'Layers',
    meaning:
      'Log, warning. `GET /cache/info` and `cache_server_*` lack the figures of the server of a layer. The cache works as before.',
    cause: 'the user may not run `INFO`, or the provider has disabled it.',
    remedy: 'permit it: `ACL SETUSER <user> +info`.',
  },
  LAYER_TIMEOUT: {
    section: 'Layers',
    meaning:
      'Error inside a layer, seen as the cause of others; 503 of a route. A layer did not answer within its `deadline`.',
    cause: 'a slow or frozen server, or a deadline that is too short.',
    remedy: 'see [resilience](../resilience.md#redis-is-slow). Reads and writes of callers do not fail by it.',
  },
  LAYER_UNAVAILABLE: {
    section: 'Layers',
    meaning:
      'Error inside a layer; 503 of a route; in reports of warming. A layer has no connection at the moment, or no layer took a value.',
    cause: 'an outage.',
    remedy: 'restore the server.',
  },
  CIRCUIT_OPEN: {
    section: 'Layers',
    meaning:
      'Log, warning; health warning; 503 of a route. A layer keeps failing and is not asked until a probe succeeds.',
    cause: 'errors, timeouts or slow calls beyond the limits of `breaker`.',
    remedy: 'restore the server. See [resilience](../resilience.md#redis-is-down).',
  },
  CIRCUIT_CLOSED: {
    section: 'Layers',
    meaning: 'Log. A layer serves again, and has for two seconds: the last line of an outage.',
    cause: 'a probe succeeded.',
    remedy: 'none is needed.',
  },
  BUS_UNREACHABLE: {
    section: 'Layers',
    meaning:
      'Log, warning; health warning. Invalidations of other processes cannot be received. Memory may be outdated until they can; it is then emptied.',
    cause: 'no connection for messages, or no permission for the channel or for `SUBSCRIBE`.',
    remedy: 'let the user of Redis `SUBSCRIBE` and `PUBLISH`, and use the channels `&<namespace>:*`.',
  },
  BUS_RESTORED: {
    section: 'Layers',
    meaning: 'Log. Invalidations of other processes are received again. Memory was emptied.',
    cause: 'the fault of `BUS_UNREACHABLE` has ended.',
    remedy: 'none is needed.',
  },
  BUS_NOT_SENT: {
    section: 'Layers',
    meaning:
      'Log, warning; health warning. Other processes could not be notified that entries were written or removed, or policies changed: the message says which. Their memory may be outdated until the message can be sent; it is tried again.',
    cause: 'as for `BUS_UNREACHABLE`, with `PUBLISH`.',
    remedy: 'as for `BUS_UNREACHABLE`.',
  },
  BUS_SENT: {
    section: 'Layers',
    meaning: 'Log. Messages reach the other processes again, those that waited included.',
    cause: 'the fault of `BUS_NOT_SENT` has ended.',
    remedy: 'none is needed.',
  },
  INVALIDATIONS_PENDING: {
    section: 'Layers',
    meaning:
      'Health warning. A layer that answers has not taken some invalidations. They are repeated each second. This process does not read what they concern; other processes may.',
    cause:
      'the user of Redis may not write, or may not run a command that invalidations need, such as `ZADD`. `LAYER_FAILED` names it.',
    remedy: 'grant the command. The warning ends once the layer has taken them.',
  },
  INVALIDATIONS_LOST: {
    section: 'Layers',
    meaning:
      'Log, warning. A layer was closed before it received some invalidations. What they concern lives until its TTL.',
    cause: 'the process ended during an outage.',
    remedy: 'invalidate again, if that matters.',
  },
  WRITES_LOST: {
    section: 'Layers',
    meaning: "Log, warning. A layer with `writes: 'behind'` was closed before all waiting writes were made.",
    cause: 'the process ended during an outage, or `drainWithin` was too short.',
    remedy: "raise `drainWithin`, or use `writes: 'through'`.",
  },
  SWEEP_PENDING: {
    section: 'Layers',
    meaning:
      'Log, warning; health warning. Entries that a glob invalidated are not removed yet. They are not read, but take memory.',
    cause: 'the user of Redis may not `SCAN`, or the server is slow.',
    remedy: 'grant it. `SWEEP_DONE` follows.',
  },
  SWEEP_DONE: {
    section: 'Layers',
    meaning: 'Log. Everything that globs invalidated is removed.',
    cause: 'the fault of `SWEEP_PENDING` has ended.',
    remedy: 'none is needed.',
  },
  NOT_CACHED: {
    section: 'Handlers while they run',
    meaning:
      'Log, warning; recommendation. Answers of a handler are not kept. The line and the recommendation name the reason.',
    cause:
      'the handler sets a cookie, returns a stream, answers with another status, or writes to a response that was sent already. In a recommendation also: `cacheIf`, the size, an error.',
    remedy: 'remove that reason, or `@Cached`.',
  },
  TAGS_FAILED: {
    section: 'Handlers while they run',
    meaning: 'Log, warning. The tags of a value could not be computed, so the value was not stored.',
    cause: 'a tag template names a part of the result that cannot be written as a tag.',
    remedy: 'name another part, or return the tags from a function.',
  },
  TAGS_INCOMPLETE: {
    section: 'Handlers while they run',
    meaning: 'Log, warning. An entry was written under the template of a handler, without a tag that names an input.',
    cause: 'the key does not hold that input readably, for example because a long value is shortened.',
    remedy: 'give `tags` with the entry, or name the input in the template.',
  },
  INVALIDATION_FAILED: {
    section: 'Handlers while they run',
    meaning: 'Log, error. `@CacheInvalidate` failed; what it should have invalidated may still be served.',
    cause: 'the cause in the line.',
    remedy: 'repair it, then invalidate by hand: `POST /cache/invalidate`.',
  },
  INVALIDATION_INCOMPLETE: {
    section: 'Handlers while they run',
    meaning:
      'Log, warning. A template of `@CacheInvalidate`, or a tag of `@Cached`, names what the call or its result does not have. It is logged once for a template.',
    cause:
      '`{result.id}` if the handler returns something without an `id`; `{user.id}` or `{body.id}` if the request has none. A parameter of a query may always be missing.',
    remedy: 'name another part, or write `{result.id?}`, `{user.id?}` if it may be missing.',
  },
  PROBE_DIFFERS: {
    section: 'Handlers while they run',
    meaning: 'Log, warning in development. A cached answer differs from what the handler returns now.',
    cause: 'the answer depends on something that its key does not hold; or the origin has just changed.',
    remedy: 'add what it depends on to `vary`.',
  },
  FAST_LANE_CLOSED: {
    section: 'Handlers while they run',
    meaning: 'Log, warning. Hits of a handler take the full path.',
    cause:
      "middleware, hooks or `app.param()` callbacks were added after the start, another route passes the request on before, or something else listens to the server's `request` event. Or routes with constraints of their own were added.",
    remedy:
      'list them in `fastLane: { skipMiddleware: […] }` if hits need not run them. The line names each function; for one without a name it gives the position: give it a name.',
  },
  FAST_LANE_DIFFERS: {
    section: 'Handlers while they run',
    meaning: 'Log, warning. Two answers to one URL differ in headers, so such hits take the full path.',
    cause: 'middleware sets a header with a value that changes.',
    remedy: 'none is needed. Remove the header to use the fast lane.',
  },
  FAST_LANE_FAILED: {
    section: 'Handlers while they run',
    meaning: 'Log, error. The fast lane failed and is closed. Hits take the full path.',
    cause: 'a fault in this library or in a patched HTTP server.',
    remedy: 'report it with the cause in the line.',
  },
  UNKNOWN_STRATEGY: {
    section: 'Warming',
    meaning:
      'Error of `warm()`; 400 of `POST /cache/warm`. There is no warming strategy of that name. The message lists those there are.',
    cause: 'a typing error, or the strategy is not listed as a provider.',
    remedy: 'correct the name, or add the class to `providers`.',
  },
  INVALID_WARMING_ENTRY: {
    section: 'Warming',
    meaning: 'In a report. A strategy yielded something that is not an entry.',
    cause:
      'no `key`, neither or both of `value` and `load`, a wrong `ttl` or `tags`, or `entries()` returned nothing to iterate over.',
    remedy: 'yield `{ key, value }` or `{ key, load }`.',
  },
  WARMING_HANDLER_REFUSED: {
    section: 'Warming',
    meaning: 'In a report. A request of `warm:` was not answered with a success, or bypassed the cache.',
    cause: 'a guard refused it, what it asks for does not exist, or one of its headers makes it private.',
    remedy: 'give the headers that the guard asks for: `warm: [{ headers: { … } }]`; remove requests for what is gone.',
  },
  WARMING_ABORTED: {
    section: 'Warming',
    meaning: 'In a report; 503 of a route. A strategy was ended early.',
    cause: 'its `timeout`, five minutes without an entry, or the end of the application.',
    remedy: 'raise `timeout`, or yield fewer entries.',
  },
  WARMING_LOAD_FAILED: {
    section: 'Warming',
    meaning: 'In a report. The `load` of an entry threw.',
    cause: 'the origin failed.',
    remedy: 'the report names the class of the error.',
  },
  WARMING_STRATEGY_FAILED: {
    section: 'Warming',
    meaning: 'In a report. `entries()` of a strategy threw.',
    cause: 'the origin failed, or a fault in the strategy.',
    remedy: 'the report names the class of the error.',
  },
  INVALID_RECORD: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Error of `CacheMetrics.record()`. The record has an unknown operation, result, time or size.',
    cause: 'the message names the field.',
    remedy: 'give one of the values that the message lists.',
  },
  UNKNOWN_WINDOW: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Error of `getStats()` and others. The window is not one of `1m`, `5m`, `1h`, `24h`, `all`.',
    cause: 'another text.',
    remedy: 'use one of the five.',
  },
  METRICS_OVERFLOW: {
    section: 'Metrics, exporters and other instances',
    meaning:
      'Log, warning. There are more patterns or endpoints than `metrics.maxPatterns` and `metrics.maxEndpoints` allow. Further ones count as `__other__`.',
    cause: 'many patterns; often keys without a common prefix.',
    remedy: 'give keys a pattern with `metrics.patternOf`, or raise the limits.',
  },
  PATTERN_OF_FAILED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log, warning. `metrics.patternOf` threw. The patterns of such keys are detected instead.',
    cause: 'a fault in your function.',
    remedy: 'return `undefined` for keys that it does not know.',
  },
  METRICS_NOT_RESTORED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log, warning. Metrics of an earlier run are ignored and begin anew.',
    cause:
      'another release wrote them, the file is damaged, or Redis did not answer: `LAYER_LOST` names the cause of a lost connection.',
    remedy: 'none is needed.',
  },
  METRICS_NOT_STORED: {
    section: 'Metrics, exporters and other instances',
    meaning:
      'Log, warning. Metrics cannot be written and are tried again every 30 seconds; as the process ends, those since the last write are lost.',
    cause:
      'a file or directory without permission, or a Redis that does not answer: `LAYER_LOST` or `CIRCUIT_OPEN` names the cause.',
    remedy: 'correct the path or permission of `persistence`, or restore Redis.',
  },
  METRICS_STORED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log. Metrics are written again.',
    cause: 'the fault of `METRICS_NOT_STORED` has ended.',
    remedy: 'none is needed.',
  },
  METRICS_SHARED: {
    section: 'Metrics, exporters and other instances',
    meaning:
      'Log, warning. Another running process keeps its metrics in the same place: a restart of either restores those of the process that wrote last.',
    cause:
      'several processes of one host with `persistence: true`, such as workers of a cluster: the name in Redis is that of the host, the file that of the namespace.',
    remedy:
      "give each process a place of its own: `persistence: { layer: 'redis', name: `${hostname()}-${process.env.PORT}` }`, or `{ path }`.",
  },
  EXPORT_FAILED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log, warning. An exporter failed. It is asked again at its next interval.',
    cause: 'its `start`, `export` or `stop` threw, rejected or did not return in time.',
    remedy: 'the line names the exporter. `cache_callback_errors_total{kind="exporter"}` counts.',
  },
  EXPORTER_NOT_STARTED: {
    section: 'Metrics, exporters and other instances',
    meaning:
      'Log, warning. The `start()` of an exporter does not return. The application starts without it; it exports once it has started.',
    cause: 'the exporter waits for a server that does not answer.',
    remedy: 'the line names the exporter. Correct its address.',
  },
  OBSERVER_FAILED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log, warning. A collector or observer threw or rejected. The cache continues without it.',
    cause: 'a fault in that class.',
    remedy: 'the line names it. Further failures are only counted.',
  },
  LISTENER_FAILED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log, warning. A listener, such as one of `cache.on()`, threw or rejected.',
    cause: 'a fault in that function.',
    remedy: 'as for `OBSERVER_FAILED`.',
  },
  SUBSCRIBER_FAILED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log, warning. A subscriber of a diagnostics channel threw or rejected.',
    cause: 'a fault in that function.',
    remedy: 'as for `OBSERVER_FAILED`.',
  },
  TRACER_FAILED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log, warning. A tracer or one of its spans threw.',
    cause: 'a fault in the tracer or in `tracing.sanitizeKey`.',
    remedy: 'as for `OBSERVER_FAILED`.',
  },
  FLEET_OFF: {
    section: 'Metrics, exporters and other instances',
    meaning: '409 of `?scope=fleet`; a log line at boot. Figures of all instances cannot be had.',
    cause: 'the option `fleet` is off, or no layer is shared.',
    remedy: 'set `fleet: true` and use a `redisLayer()`.',
  },
  FLEET_UNAVAILABLE: {
    section: 'Metrics, exporters and other instances',
    meaning: '503 of `?scope=fleet`. The other instances cannot be asked.',
    cause: 'the shared layer does not answer.',
    remedy: 'restore it. `scope=instance` answers for this instance.',
  },
  POLICY_OUT_OF_BOUNDS: {
    section: 'Metrics, exporters and other instances',
    meaning: 'A TTL that a policy was to be overridden with is outside `tuning.bounds`.',
    cause: 'the bounds of the longest glob that fits the pattern do not allow it.',
    remedy: 'give a TTL within the bounds that the message names, or change `tuning.bounds`.',
  },
  TOO_MANY_OVERRIDES: {
    section: 'Metrics, exporters and other instances',
    meaning: '200 policies are overridden already.',
    cause: 'overrides without `for` were never reverted.',
    remedy: 'move what has proved itself into the code and revert the overrides.',
  },
  NOT_OVERRIDDEN: {
    section: 'Metrics, exporters and other instances',
    meaning: 'The pattern whose policy was to be reverted has no override.',
    cause: 'it has ended, was never set, or the pattern is another.',
    remedy: '`GET /cache/policies` lists overrides.',
  },
  TTL_ADJUSTED: {
    section: 'Metrics, exporters and other instances',
    meaning:
      'Log. An automatic TTL has changed, with the hit rate and stale share before and expected, and the accesses on which that rests.',
    cause: '`ttl: { auto: … }`, in this instance.',
    remedy: 'none; `GET /cache/policies` shows what it was expected to bring beside what it brought.',
  },
  TTL_NOT_ADJUSTED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Warning. An automatic TTL cannot be changed and stays as it is.',
    cause: '200 policies are overridden already.',
    remedy: 'revert some of them.',
  },
  PREDICTION_STOPPED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log. A pattern is not warmed by the clock for a day.',
    cause:
      "`warming.predictive`, and fewer than a fifth of the pattern's entries that it warmed were read before they ended.",
    remedy: 'none; a longer TTL lets more of them be read.',
  },
  WARM_STARTED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log. So many entries were read from Redis into memory before the application was ready.',
    cause: '`warming.warmStart`, which is on with a `redisLayer` behind a `memoryLayer`.',
    remedy: 'none.',
  },
  WARM_START_FAILED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Warning. Memory starts empty.',
    cause: 'Redis does not answer, or refuses.',
    remedy: 'restore it. Entries are read into memory when they are requested.',
  },
  POLICY_OVERRIDDEN: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log. The policy of a pattern was overridden, with the values now in force, who set it and until when.',
    cause: '`PUT /cache/policies` or `cache.tuning.override()`, in this instance or another.',
    remedy: 'none; `DELETE /cache/policies?pattern=…` reverts it.',
  },
  POLICY_RESTORED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log, a warning unless somebody reverted it. The override of a pattern has ended.',
    cause:
      'it was reverted, its time is over, a deploy declares the values differently, or `tuning.bounds` do not allow it.',
    remedy: 'override again if the new declared value is not the better one.',
  },
  POLICY_NOT_SHARED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Warning. An override is in force in this process and could not be written for the others.',
    cause: 'Redis does not answer.',
    remedy: 'restore it; the override is written once it answers.',
  },
  POLICY_SHARED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log. Overrides reach the other processes again.',
    cause: 'the fault of `POLICY_NOT_SHARED` has ended.',
    remedy: 'none is needed.',
  },
  POLICIES_NOT_READ: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Warning. The overrides of other processes cannot be read; those that are known stay in force.',
    cause: 'Redis does not answer.',
    remedy: 'restore it; they are read every 15 seconds.',
  },
  POLICIES_READ: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log. The overrides of other processes are read again.',
    cause: 'the fault of `POLICIES_NOT_READ` has ended.',
    remedy: 'none is needed.',
  },
  POLICY_REFUSED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Warning. An override in Redis cannot be followed and is left out.',
    cause: 'another version of this library or somebody else wrote it.',
    remedy: 'deploy one version, or delete the foreign key.',
  },
  FLEET_NOT_PUBLISHED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log, warning. This instance cannot publish what it counts.',
    cause: 'the shared layer does not answer.',
    remedy: 'restore it. `FLEET_RESTORED` follows.',
  },
  FLEET_RESTORED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log. This instance publishes again.',
    cause: 'the shared layer answers again.',
    remedy: 'none is needed.',
  },
  FLEET_IMAGE_REFUSED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log, warning. The figures of another instance cannot be read and are left out.',
    cause: 'an instance of another release, during a deploy.',
    remedy: 'none is needed: it ends with the deploy.',
  },
  SLOW_QUERY: {
    section: 'Metrics, exporters and other instances',
    meaning:
      'Log, warning. A query took longer than `slowThreshold` of `observeQueries()`. The line shows its shape, never a literal.',
    cause: 'a slow statement.',
    remedy: 'look at `GET /cache/database`.',
  },
  INVALID_PARAMETER: {
    section: 'Answers of the routes',
    meaning:
      '400\\. A query parameter has a value that is unknown or out of range, or is given twice. A parameter that the route does not know is ignored.',
    cause: 'the message says what is allowed.',
    remedy: 'correct it.',
  },
  INVALID_BODY: {
    section: 'Answers of the routes',
    meaning: '400\\. The JSON body has a wrong form or is too large.',
    cause: 'the message names the field.',
    remedy: 'see [routes](routes.md#post-cacheinvalidate).',
  },
  WRITES_DISABLED: {
    section: 'Answers of the routes',
    meaning: '403\\. Routes that change something are closed.',
    cause: 'no guard protects them, and `NODE_ENV` is neither `development` nor `test`.',
    remedy:
      'set `monitoring.guards` or `monitoring.writeGuards`; or `monitoring.allowUnguarded` if something in front of the application protects them.',
  },
  CROSS_SITE_REQUEST: {
    section: 'Answers of the routes',
    meaning: '403\\. A page of another site requested a change.',
    cause: '`Sec-Fetch-Site` or `Origin` of the request.',
    remedy: 'list the site in `monitoring.origins`.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    section: 'Answers of the routes',
    meaning: '415\\. A body is not JSON.',
    cause: 'another `Content-Type`; `curl -d` sends a form.',
    remedy: 'send `Content-Type: application/json`.',
  },
  UNKNOWN_PATTERN: {
    section: 'Answers of the routes',
    meaning: '404 of `PUT /cache/policies`. No handler declares the pattern, and no key of it was counted.',
    cause: 'it is misspelt, or it is of another cache (`?cache=`).',
    remedy: 'take it from `GET /cache/policies` or `GET /cache/stats/patterns`.',
  },
  UNKNOWN_ASSET: {
    section: 'Answers of the routes',
    meaning: '404 of `GET /cache/dashboard/assets/:name`. The page asks for a file that this release does not have.',
    cause: 'a page that was open during a deploy, or instances of two releases behind one address.',
    remedy: 'load the page again.',
  },
  UNKNOWN_RUN: {
    section: 'Answers of the routes',
    meaning: '404 of `GET /cache/warm/:id`. No run of this id is known.',
    cause: 'only the latest 100 runs are kept, each by the instance that ran it.',
    remedy: 'start another run.',
  },
  PROFILING_OFF: {
    section: 'Answers of the routes',
    meaning: '404 of `GET /cache/flamegraph`. Nothing is sampled.',
    cause: '`profiling` is off.',
    remedy: 'set `profiling: true`.',
  },
  TOO_MANY_CLIENTS: {
    section: 'Answers of the routes',
    meaning: '503 of `GET /cache/events`. As many clients listen as `monitoring.maxEventClients` allows.',
    cause: '50 open streams, unless the option says otherwise.',
    remedy: 'close some, raise the limit, or ask `GET /cache/realtime`.',
  },
  UNKNOWN_SHAPE: {
    section: 'Answers of the routes',
    meaning: '404 of `GET /cache/database/plan`. No slow statement of this shape is known.',
    cause: 'it made room for others, metrics were reset, or the shape is not exactly that of `slow_queries`.',
    remedy: 'take a shape from `GET /cache/database`.',
  },
  PLANS_OFF: {
    section: 'Answers of the routes',
    meaning: '409 of `GET /cache/database/plan`. The target of this statement is not observed with `explain`.',
    cause: 'plans are off by default.',
    remedy: '`observeQueries(pool, { explain: true })`.',
  },
  PLAN_UNAVAILABLE: {
    section: 'Answers of the routes',
    meaning: '503 of `GET /cache/database/plan`. The statement cannot be planned.',
    cause:
      'the database is away, no connection came free, or the statement needs its values (`INTERVAL ?`), was cut, or is several.',
    remedy: 'run `EXPLAIN` by hand with real values.',
  },
  EVENTS_CLOSED: {
    section: 'Answers of the routes',
    meaning: '503 of `GET /cache/events`. The application is closing.',
    cause: 'a client connects during shutdown.',
    remedy: 'connect again later.',
  },
  STREAM_ONLY: {
    section: 'Answers of the routes',
    meaning: '405 of `HEAD /cache/events`. Events are read with GET.',
    cause: 'a HEAD request.',
    remedy: 'use GET.',
  },
  HIT_RATE_DROP: {
    section: 'Alerts',
    meaning: 'Alert. The hit rate is lower than is usual at this time: suddenly, or slowly over hours.',
    cause: 'a deploy that changed keys, wider invalidation, crawlers, a fleet that grew, less memory.',
    remedy: '`GET /cache/stats/patterns` counts misses by reason; `GET /cache/insights` says what to change.',
  },
  SLOW_LOADS: {
    section: 'Alerts',
    meaning: 'Alert. One load in twenty takes at least half as long again as is usual.',
    cause: 'a slow origin: its database, its dependencies, its pool.',
    remedy: 'look at the origin; `staleWhileRevalidate` and `softTimeout` keep callers from waiting.',
  },
  ERRORS_RISE: {
    section: 'Alerts',
    meaning: 'Alert. More accesses and loads fail than is usual.',
    cause: 'an origin or a layer that fails.',
    remedy: 'the log and `GET /cache/stats/layers` name it; `staleIfError` serves the old value meanwhile.',
  },
  INVALIDATION_STORM: {
    section: 'Alerts',
    meaning: 'Alert. At least three times as many invalidations as usual, and thirty a minute.',
    cause: 'a job or an import that invalidates entry by entry or too widely.',
    remedy: 'invalidate once after the change, by narrower keys or tags.',
  },
  TRAFFIC_DROP: {
    section: 'Alerts',
    meaning: 'Alert. The cache, or a pattern, is asked less than half as often as is usual.',
    cause: 'something in front of it fails, or it is bypassed (`GET /cache/stats` counts bypasses).',
    remedy: 'look at the proxy or load balancer in front. A route that was removed on purpose is normal after a day.',
  },
  POOL_BUSY: {
    section: 'Alerts',
    meaning: "Alert. More than 80 % of an observed pool's connections have been in use for five minutes.",
    cause: 'more load, or slower queries.',
    remedy: 'see slow queries in `GET /cache/database`; above 95 % callers begin to wait.',
  },
  POOL_EXHAUSTED: {
    section: 'Alerts',
    meaning:
      "Alert. More than 95 % of an observed pool's connections have been in use for two minutes, and callers wait.",
    cause: 'slow queries, connections that are not given back, or a pool that is too small.',
    remedy: '`GET /cache/database` names slow queries; then raise the size of the pool.',
  },
  ALERT_OPENED: {
    section: 'Alerts',
    meaning:
      'Log, warning (a plain line if the alert is for information). An alert opened; its code, severity and subject are in the details.',
    cause: 'that of the alert.',
    remedy: 'that of the alert.',
  },
  ALERT_CLOSED: {
    section: 'Alerts',
    meaning: 'Log. An alert is over.',
    cause: 'its condition has gone, or has lasted a day and counts as normal.',
    remedy: 'none is needed.',
  },
  WEBHOOK_FAILED: {
    section: 'Alerts',
    meaning:
      'Log, warning, once until it works again. The receiver of `alerts.webhook` fails, hangs or is away. An alert is sent five times in about three minutes, then given up.',
    cause: 'the receiver, its address, or credentials that it refuses (`answers 401`, `answers 404`: not sent again).',
    remedy: 'check `alerts.webhook`; `cache_alert_webhook_total` counts what was lost.',
  },
  WEBHOOK_RESTORED: {
    section: 'Alerts',
    meaning: 'Log. The receiver of `alerts.webhook` takes alerts again.',
    cause: 'it works again.',
    remedy: 'none is needed.',
  },
  LOW_HIT_RATE: {
    section: 'Health warnings',
    meaning:
      'Status `degraded`. The hit rate of the window is below `health.minHitRate`. Misses for lack of a layer are left out while it is away and for ten minutes after.',
    cause: 'see `miss_reasons` of `GET /cache/stats`.',
    remedy: 'see `GET /cache/stats/low-performers`.',
  },
  HIGH_AVG_RESPONSE_TIME: {
    section: 'Health warnings',
    meaning: "Status `degraded`. The cache's own mean response time is at least `health.maxAvgResponseTimeMs`.",
    cause: 'usually a slow layer.',
    remedy: 'see `GET /cache/stats/layers`; add a `memoryLayer()` in front, or shorten the `deadline`.',
  },
  HIGH_P95_RESPONSE_TIME: {
    section: 'Health warnings',
    meaning:
      "Status `warning`. The 95th percentile of the cache's own response time is at least `health.maxP95ResponseTimeMs`.",
    cause: 'as for `HIGH_AVG_RESPONSE_TIME`.',
    remedy: 'as for `HIGH_AVG_RESPONSE_TIME`.',
  },
  LAYER_DOWN: {
    section: 'Health warnings',
    meaning: 'Status `warning`. A layer is not connected.',
    cause: 'the message names it as `LAYER_LOST` does: refused, unknown host, TLS, password, permission, timeout.',
    remedy: 'restore it. Requests are served without it.',
  },
  PATTERN_BELOW_TARGET: {
    section: 'Health warnings',
    meaning: 'Status `warning`. The hit rate of a pattern is below its target in `health.patterns`.',
    cause: 'see `miss_reasons` of the pattern.',
    remedy: 'see the recommendation in `GET /cache/stats/low-performers`.',
  },
  RAISE_TTL: {
    section: 'Recommendations',
    meaning: 'A longer TTL would answer more and stay within the stale share that is allowed.',
    cause: 'entries expire before they are requested again.',
    remedy: 'set `ttl` to the value in `change`.',
  },
  LOWER_TTL: {
    section: 'Recommendations',
    meaning: 'More hits are outdated than is allowed.',
    cause: 'values change much faster than they expire.',
    remedy: 'set `ttl` to the value in `change`, or invalidate after each change.',
  },
  MORE_MEMORY: {
    section: 'Recommendations',
    meaning: 'A larger memory layer would answer more.',
    cause: 'entries are evicted because memory is full, and requested again.',
    remedy: 'raise `maxEntries` or `maxBytes` to the value in `change`.',
  },
  LESS_MEMORY: {
    section: 'Recommendations',
    meaning: 'A smaller memory layer would answer as much.',
    cause: 'the layer is full of entries that are hardly requested.',
    remedy: 'lower `maxEntries` or `maxBytes` to the value in `change`.',
  },
  KEY_TOO_SPECIFIC: {
    section: 'Recommendations',
    meaning: 'Most keys are requested only once, because they contain an input that the value does not depend on.',
    cause: 'a tracking parameter, a header or an argument in the key.',
    remedy: 'leave it out with `ignore`, or out of the key that your code makes.',
  },
  NEVER_READ: {
    section: 'Recommendations',
    meaning: 'Entries end unread.',
    cause: 'the pattern, or what a strategy warms, is not requested again.',
    remedy: 'take `@Cached` away, or warm fewer keys.',
  },
  CHEAPER_THAN_CACHE: {
    section: 'Recommendations',
    meaning: 'The origin answers faster than the cache.',
    cause: 'a slow layer in front of a fast origin.',
    remedy: 'take `@Cached` away, or put `memoryLayer()` before the slow layer.',
  },
  VALUE_TOO_LARGE: {
    section: 'Recommendations',
    meaning: 'Few large values hold most of the bytes and bring few of the hits.',
    cause: 'values of very different sizes under one pattern.',
    remedy: 'store less of them, or set `maxEntrySize`.',
  },
  INVALIDATED_TOO_WIDELY: {
    section: 'Recommendations',
    meaning: 'Most misses follow invalidations, and most reloads return the same value.',
    cause: 'a glob or a tag over more than has changed.',
    remedy: 'invalidate the key, or a tag of the entity, that changed.',
  },
  CACHE_EMPTY_RESULTS: {
    section: 'Recommendations',
    meaning: 'Loads return null or undefined for the same keys again and again.',
    cause: 'empty results are not stored.',
    remedy: 'set `negativeTtl`.',
  },
  SERVE_STALE: {
    section: 'Recommendations',
    meaning: 'Callers wait for slow loads of keys that have just expired.',
    cause: 'neither `staleWhileRevalidate` nor `refreshAhead` is set.',
    remedy: 'set `staleWhileRevalidate` to the value in `change`.',
  },
  SHARE_LOADS: {
    section: 'Recommendations',
    meaning: 'Several instances load the same key at the same time.',
    cause: 'loads are shared within one process only.',
    remedy: 'set `lock: true`.',
  },
  WARM: {
    section: 'Recommendations',
    meaning: 'After a start many callers wait for few keys.',
    cause: 'nothing loads these keys before they are requested.',
    remedy: 'warm them with `warm` on the handler, or with a strategy.',
  },
  LAYER_FAILS: {
    section: 'Recommendations',
    meaning: 'Most misses came while a layer failed.',
    cause: 'an outage.',
    remedy: 'look at that layer.',
  },
  COLD_KEYS: {
    section: 'Recommendations',
    meaning: 'Most misses asked for a key under which nothing had been stored.',
    cause: 'a key that holds something that changes with every request, or a cold start.',
    remedy: 'review the key; warm the keys that are known beforehand.',
  },
  NOTHING_STORED: {
    section: 'Recommendations',
    meaning: 'There are misses, but no load and no set.',
    cause: 'code calls `get` and never `set`.',
    remedy: 'store after a miss, or use `getOrSet`.',
  },
  WITHHELD: {
    section: 'Recommendations',
    meaning: 'No recommendation. The text says what is missing.',
    cause: 'the reasons of the misses are not known.',
    remedy: 'wait for more accesses.',
  },
};
