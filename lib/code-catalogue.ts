/*
 * Explains every code of this library: its meaning, its cause and what to do. `npm run docs:codes` writes the reference page from
 * it, and a test compares both. No code of a running application imports this file: each place that raises a code has its own
 * message. The compiler accepts only codes that this file explains.
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
    text: '`code` of [alerts](../alerts.md), and the log lines about alerts. The health warnings below are alerts too. The severity of a log line is that of its alert.',
  },
  {
    title: 'Health warnings',
    text: 'In `warnings` of `GET /cache/health` and `alerts` of `GET /cache/realtime`, with the status that health has because of them. A warning that lasts becomes an [alert](../alerts.md) with a severity. `CIRCUIT_OPEN`, `SWEEP_PENDING`, `INVALIDATIONS_PENDING`, `BUS_NOT_SENT` and `BUS_UNREACHABLE` are above.',
  },
  {
    title: 'Recommendations',
    text: '`code` of `GET /cache/insights` and of `GET /cache/stats/low-performers`. `NOT_CACHED` is above. [Recommendations](../recommendations.md) explains which figures each one uses and when it misleads.',
  },
] as const satisfies readonly { title: string; text?: string }[];

export interface Explanation {
  /** The title of the section of the reference page. */
  readonly section: (typeof SECTIONS)[number]['title'];
  /** Where the code appears (error, log line, answer, alert) and what it means. All three texts are Markdown. */
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
      'a typing error, or an environment variable that is not set. In the log: your function threw or returned a promise.',
    remedy: 'correct each line of the message. [Options](options.md) lists what is allowed.',
  },
  INVALID_DURATION: {
    section: 'At boot',
    meaning: "Error at boot or of a call. A time is neither milliseconds, zero or more, nor a string such as `'30s'`.",
    cause: 'text without a unit, a negative number, `NaN`.',
    remedy: "write `30_000` or `'30s'`, `'5m'`, `'24h'`.",
  },
  INVALID_TEMPLATE: {
    section: 'At boot',
    meaning:
      'Error at boot. The pattern of `@Cached`, or a template in `tags`, `vary`, `ignore` or `@CacheInvalidate`, is wrong.',
    cause:
      'unbalanced braces, a lone surrogate, a placeholder for something that does not exist (`{foo.id}`, a parameter that the route does not have, a field that the declared result does not have), a declared input that the template leaves out, or `@Cached` on a static member or an accessor.',
    remedy:
      'use one of the names that the message lists as known. Name each declared input in the template, or list it in `ignore` if it does not change the answer. If your middleware adds a property to requests, name it in `vary`, or end the placeholder with `?`.',
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
      'two classes with the same name and the same pattern, or several instances of one class with different dependencies.',
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
    meaning: 'Error at boot. Something in front of a handler with `fastLane` must see every request.',
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
      'install the package that the message names; of a package of Nest, the [version that fits](../upgrading.md#versions-of-nest-packages).',
  },
  LAYER_REQUIRED: {
    section: 'At boot',
    meaning: 'Error at boot. A layer with `required: true` cannot be reached.',
    cause:
      'its server is down, its address or its credentials are wrong. The `cause` of the error says which of these.',
    remedy: 'start or correct the server, or remove `required`: the application then starts without it.',
  },
  DUPLICATE_STRATEGY: {
    section: 'At boot',
    meaning: 'Error at boot or of `CacheWarmer.register()`. Two warming strategies have the same name.',
    cause: 'the same `name` in two `@WarmingStrategy`.',
    remedy: 'give one of them another name.',
  },
  CACHE_READY: {
    section: 'At boot',
    meaning:
      'Log, at boot. One line describes the module in this application: layers with their limits and masked addresses, namespace, numbers of handlers and methods, the paths of routes and metrics, and who may use the routes that change something.',
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
      'Log, warning at boot. The module is registered several times in one application: each registration has its own cache, metrics and routes.',
    cause: '`forRoot()` in several modules.',
    remedy: 'call `forRoot()` once, in the root module.',
  },
  SEVERAL_VERSIONS: {
    section: 'At boot',
    meaning:
      'Log, warning at boot. Two versions of this package are loaded in one process. Neither version finds the classes that the other one decorates.',
    cause: 'the package is installed twice below `node_modules`.',
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
    cause: 'classes that inject its `CACHE_MANAGER` use a cache that is not observed.',
    remedy: "remove that `CacheModule`, or observe it with `cache: 'app'`.",
  },
  MODULE_NOT_IMPORTED: {
    section: 'At boot',
    meaning: 'Log, warning. The cached methods of a class run uncached.',
    cause: '`isGlobal: false`, and the module of the class does not import `CacheObservabilityModule`.',
    remedy: 'import it in that module, or leave `isGlobal` at `true`.',
  },
  INSTANCE_UNKNOWN: {
    section: 'At boot',
    meaning: 'Log, warning. The cached methods of an instance run uncached.',
    cause:
      'the application does not provide the instance: `ModuleRef.create()` or a module that was loaded after the start made it. Such instances could have different state but would have the same keys.',
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
    meaning:
      'Log, warning at boot. The answers of a handler that holds the response object are not refreshed in the background.',
    cause: '`@Res({ passthrough: true })` together with `staleWhileRevalidate`, `softTimeout` or `refreshAhead`.',
    remedy: 'remove `@Res()`, or those options.',
  },
  WHOLE_QUERY: {
    section: 'At boot',
    meaning:
      'Log, hint at boot. All query parameters are part of the key, so each one that a caller adds makes another key.',
    cause: '`@Query()` without a name.',
    remedy: "name the parameters that change the answer: `query: ['page', 'limit']`. The hint suggests them.",
  },
  UNKNOWN_TAG: {
    section: 'At boot',
    meaning: 'Log, hint or warning at boot. `@CacheInvalidate` names a tag that no handler and no method sets.',
    cause: 'a typing error, or your code sets the tag, as in `getOrSet(key, load, { tags })`.',
    remedy: 'correct the name. Ignore the hint if your code sets the tag.',
  },
  VARY_UNKNOWN: {
    section: 'At boot',
    meaning:
      'Log, warning at boot. A path in `vary` begins with an unknown property of requests whose name resembles a known one.',
    cause: 'a typing error, because of which every request bypasses the cache; or middleware adds the property.',
    remedy: 'correct the path. Ignore the warning if your middleware adds the property.',
  },
  UNKNOWN_KEYS: {
    section: 'At boot',
    meaning:
      'Log, warning at boot. `@CacheInvalidate` names keys that no handler and no method makes. They make similar keys.',
    cause:
      'a typing error, because of which old values stay; or your code writes such keys, as in `cache.set(key, value)`.',
    remedy: 'correct the name. Ignore the warning if your code writes such keys.',
  },
  INVALID_KEY: {
    section: 'Keys and values',
    meaning:
      'Error of a call; 400 of a route. A key, glob or tag is not text, is empty, or is not well-formed Unicode.',
    cause: '`undefined` as key, or text cut in the middle of a character.',
    remedy: 'use well-formed text. Requests with such input bypass the cache automatically.',
  },
  KEY_TOO_LONG: {
    section: 'Keys and values',
    meaning: 'Error of a call; 400 of a route. A key, glob or tag is longer than 64 KiB in UTF-8.',
    cause: 'a whole document as key.',
    remedy: 'use a hash of the long part. Keys of `@Cached` are shortened automatically.',
  },
  ARGUMENT_NOT_ENCODABLE: {
    section: 'Keys and values',
    meaning: 'Error of a cached method. An argument cannot be part of a key.',
    cause: 'an argument contains a function, a symbol, a promise, a stream, itself, or an instance with hidden state.',
    remedy:
      "name the parts that the answer depends on (`'prefix:{0.id}'`, the other arguments in `ignore`), or set `key`.",
  },
  KEY_FAILED: {
    section: 'Keys and values',
    meaning: 'Log, warning. The key of a handler could not be computed, so such calls run the handler.',
    cause: 'your `key` or `vary` function threw, or an input cannot be encoded.',
    remedy: 'read the cause in the line: it names the class of the error and its place.',
  },
  VARY_UNDEFINED: {
    section: 'Keys and values',
    meaning:
      'Log, warning. A path in `vary` or in a template was undefined, so the call bypassed the cache. Every call without this value does.',
    cause: 'a typing error in the path, or callers that are not signed in.',
    remedy: "correct the path, or write `'user.id?'` if undefined is a valid value.",
  },
  ALWAYS_BYPASSED: {
    section: 'Keys and values',
    meaning:
      'Log, warning, once for a handler. Either each of its first 20 requests bypassed the cache for the same `reason`, or a request with `Authorization` did because neither `vary` nor `key` names the caller.',
    cause:
      'a typing error in `vary`, or callers that send `Authorization`, a method that is not cached, or `Cache-Control: no-store` with `honorRequestDirectives`.',
    remedy:
      "name the caller in `vary`, such as `'user.id'`, or set `shared: true` if all callers get the same answer. See [answers that depend on the caller](decorators.md#answers-that-depend-on-the-caller).",
  },
  VALUE_NOT_SERIALIZABLE: {
    section: 'Keys and values',
    meaning: 'Error of `set`; a log line for loads. The loaded value is returned to the caller but not stored.',
    cause: 'the value contains a function, a stream, private members, or something else that cannot be copied exactly.',
    remedy:
      'return plain data, or list the class with `encode` and `decode`. See [values](../values.md#what-cannot-be-copied).',
  },
  UNKNOWN_CLASS: {
    section: 'Keys and values',
    meaning:
      'Log, warning. Values in a shared layer contain instances of a class that is not listed for the pattern in this process. Reads of them are misses.',
    cause: 'another process stored them, or the class has changed since.',
    remedy: 'list the class in `classes` of `@Cached`, `policy` or `forRoot`.',
  },
  CLASSES_LOST: {
    section: 'Keys and values',
    meaning:
      'Log, warning. A store of an adopted cache returns instances as plain objects, so values with instances are not stored in it.',
    cause: 'the store keeps values as JSON.',
    remedy: 'use layers of this library, or cache plain data.',
  },
  UNDECODABLE_VALUE: {
    section: 'Keys and values',
    meaning:
      'Log, warning. A layer holds a value that cannot be read. It is treated as absent and counted in `cache_layer_undecodable_total`.',
    cause: 'another release, another codec, or another application wrote under the same keys.',
    remedy: 'none is needed: the next write replaces it. Give each application its own `namespace`.',
  },
  ENTRY_TOO_LARGE: {
    section: 'Keys and values',
    meaning:
      'Log, warning; in reports of warming and batches. The value was not stored: it is larger than `maxEntrySize`, or, in memory, than a tenth of `maxBytes`.',
    cause: 'a large value.',
    remedy: 'cache only a part of it, raise `maxBytes`, or set `maxEntrySize` if such values must be stored.',
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
      'In reports of warming and batches. The value was not stored, because its key or tag, or a glob that matches its key, was invalidated after the load had begun.',
    cause: 'a change during the run.',
    remedy: 'none is needed: the next run or request loads the new value.',
  },
  LOAD_TIMEOUT: {
    section: 'Loads',
    meaning: 'Error of a call. A load took longer than `hardTimeout`, and there was no stale value to serve.',
    cause: 'the origin is slow, or the load waited too long for a layer or a lock.',
    remedy: 'add `staleIfError` and `softTimeout`, or raise `hardTimeout`.',
  },
  ORIGIN_FAILED: {
    section: 'Loads',
    meaning: 'Log, warning. A load failed, and the stale value is served. `staleIfError` limits how long.',
    cause: 'the loader or the handler threw.',
    remedy:
      'repair the origin. The line names the class of the error; callers for which there is no stale value get the error itself.',
  },
  LOCK_UNREACHABLE: {
    section: 'Loads',
    meaning: 'Log, warning. Loads run without the lock that all processes share.',
    cause: '`lock: true`, and the layer that holds the lock does not answer.',
    remedy: 'restore the layer. Until then each process loads on its own.',
  },
  CACHE_CLOSED: {
    section: 'Loads',
    meaning: 'Error of a call; 503 of a route; a log line if a layer did not close in time.',
    cause: "the application is closing. With `cache: 'app'`: a constructor used the cache before the cache existed.",
    remedy: 'do not load after `app.close()`; use an adopted cache from `onModuleInit` on.',
  },
  LAYER_FAILED: {
    section: 'Layers',
    meaning:
      'Log, warning. A connected layer failed, or a store could not be reached at start. Requests are served without it.',
    cause: 'the line names it: refused, timeout, an error of the server.',
    remedy: 'restore the server. `LAYER_RESTORED` follows.',
  },
  LAYER_LOST: {
    section: 'Layers',
    meaning:
      'Log, warning. A layer has no connection, at start or later; connecting is tried again. During the outage, its consequences (for the layer, subscription, locks, policies, warm start, fleet, writes of metrics) are not logged; `GET /cache/health` shows them. Two kinds are logged: outdated memory of other processes (`BUS_NOT_SENT`) and permanent losses (`METRICS_NOT_RESTORED`; at the end also `METRICS_NOT_STORED`, `INVALIDATIONS_LOST` and `WRITES_LOST`).',
    cause:
      'the line names the address and the cause: refused, unknown host, TLS, password, permission, scheme, timeout, cluster.',
    remedy: 'do what the line says. `LAYER_RESTORED` follows.',
  },
  LAYER_RESTORED: {
    section: 'Layers',
    meaning:
      'Log. A layer has been connected, or has answered, for two seconds after an outage. Logged once per outage, before `CIRCUIT_CLOSED`.',
    cause: 'its server is back.',
    remedy: 'none is needed.',
  },
  NO_SERVER_FIGURES: {
    section: 'Layers',
    meaning:
      'Log, warning. `GET /cache/info` and `cache_server_*` lack the server figures of a layer. The cache works as before.',
    cause: 'the user may not run `INFO`, or the provider has disabled it.',
    remedy: 'permit the command: `ACL SETUSER <user> +info`.',
  },
  LAYER_TIMEOUT: {
    section: 'Layers',
    meaning:
      'Error inside a layer, which is the `cause` of other errors; 503 of a route. A layer did not answer within its `deadline`.',
    cause: 'a slow or frozen server, or a deadline that is too short.',
    remedy: 'see [resilience](../resilience.md#redis-is-slow). Reads and writes of callers do not fail because of it.',
  },
  LAYER_UNAVAILABLE: {
    section: 'Layers',
    meaning:
      'Error inside a layer; 503 of a route; in reports of warming. A layer has no connection, or no layer accepted a value.',
    cause: 'an outage.',
    remedy: 'restore the server.',
  },
  CIRCUIT_OPEN: {
    section: 'Layers',
    meaning:
      'Log, warning; health warning; 503 of a route. A layer fails repeatedly and is not used until a probe succeeds.',
    cause: 'errors, timeouts or slow calls beyond the limits of `breaker`.',
    remedy: 'restore the server. See [resilience](../resilience.md#redis-is-down).',
  },
  CIRCUIT_CLOSED: {
    section: 'Layers',
    meaning: 'Log. A layer has been in use again for two seconds. This is the last line of an outage.',
    cause: 'a probe succeeded.',
    remedy: 'none is needed.',
  },
  BUS_UNREACHABLE: {
    section: 'Layers',
    meaning:
      'Log, warning; health warning. Invalidations of other processes cannot be received. Memory may be outdated until they can be received again; then it is emptied.',
    cause: 'there is no connection for messages, or no permission for the channel or for `SUBSCRIBE`.',
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
      'Log, warning; health warning. A message to other processes about written or removed entries, or changed policies, could not be sent: the line says which. Their memory may be outdated until it is sent; sending is tried again.',
    cause: 'as for `BUS_UNREACHABLE`, with `PUBLISH`.',
    remedy: 'as for `BUS_UNREACHABLE`.',
  },
  BUS_SENT: {
    section: 'Layers',
    meaning: 'Log. Messages to other processes are sent again, including those that waited.',
    cause: 'the fault of `BUS_NOT_SENT` has ended.',
    remedy: 'none is needed.',
  },
  INVALIDATIONS_PENDING: {
    section: 'Layers',
    meaning:
      'Health warning. A layer that answers has not accepted some invalidations. They are tried again each second. This process does not read the entries that they invalidate; other processes may.',
    cause:
      'the user of Redis may not write, or may not run a command that invalidations need, such as `ZADD`. `LAYER_FAILED` names the command.',
    remedy: 'grant the command. The warning ends once the layer has accepted them.',
  },
  INVALIDATIONS_LOST: {
    section: 'Layers',
    meaning:
      'Log, warning. A layer was closed before it received some invalidations. Their entries stay in the layer until their TTL ends.',
    cause: 'the process ended during an outage.',
    remedy: 'invalidate again if outdated values matter.',
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
    remedy: 'grant the command. `SWEEP_DONE` follows.',
  },
  SWEEP_DONE: {
    section: 'Layers',
    meaning: 'Log. All entries that globs invalidated are removed.',
    cause: 'the fault of `SWEEP_PENDING` has ended.',
    remedy: 'none is needed.',
  },
  NOT_CACHED: {
    section: 'Handlers while they run',
    meaning:
      'Log, warning; recommendation. Answers of a handler are not stored. The line and the recommendation name the reason.',
    cause:
      'the handler sets a cookie, returns a stream, answers with a status that is not cached, or writes to a response that has already been sent. In a recommendation also: `cacheIf`, the size, an error.',
    remedy: 'remove the reason, or `@Cached`.',
  },
  TAGS_FAILED: {
    section: 'Handlers while they run',
    meaning: 'Log, warning. The tags of a value could not be computed, so the value was not stored.',
    cause: 'a tag template names a part of the result that cannot be part of a tag.',
    remedy: 'name another part, or return the tags from a function.',
  },
  TAGS_INCOMPLETE: {
    section: 'Handlers while they run',
    meaning: 'Log, warning. An entry was written under a key of a handler, but without a tag that depends on an input.',
    cause: 'the input cannot be read from the key, for example because a long value is shortened.',
    remedy: 'give `tags` with the entry, or name the input in the template.',
  },
  INVALIDATION_FAILED: {
    section: 'Handlers while they run',
    meaning: 'Log, error. `@CacheInvalidate` failed; the entries that it should have invalidated may still be served.',
    cause: 'the cause in the line.',
    remedy: 'remove the cause, then invalidate by hand: `POST /cache/invalidate`.',
  },
  INVALIDATION_INCOMPLETE: {
    section: 'Handlers while they run',
    meaning:
      'Log, warning. A template of `@CacheInvalidate`, or a tag of `@Cached`, names something that the call or its result does not have. Logged once per template.',
    cause:
      '`{result.id}` if the result of the handler has no `id`; `{user.id}` or `{body.id}` if the request has none. Query parameters are not reported: each may be missing.',
    remedy: 'name another part, or write `{result.id?}`, `{user.id?}` if it may be missing.',
  },
  PROBE_DIFFERS: {
    section: 'Handlers while they run',
    meaning: 'Log, warning in development. A cached answer differs from what the handler returns now.',
    cause: 'the answer depends on something that is not part of its key; or the origin has just changed.',
    remedy: 'add that input to `vary`.',
  },
  FAST_LANE_CLOSED: {
    section: 'Handlers while they run',
    meaning: 'Log, warning. Hits of a handler no longer use the fast lane.',
    cause:
      "middleware, hooks or `app.param()` callbacks were added after the start, an earlier route passes the request on, or something else listens to the server's `request` event. On Fastify also: routes with constraints of their own were added.",
    remedy:
      'list them in `fastLane: { skipMiddleware: […] }` if hits need not run them. The line names each function; for a function without a name it gives the position: give it a name.',
  },
  FAST_LANE_DIFFERS: {
    section: 'Handlers while they run',
    meaning: 'Log, warning. Two answers to one URL have different headers, so such hits do not use the fast lane.',
    cause: 'middleware sets a header with a value that changes.',
    remedy: 'none is needed. Remove the header to use the fast lane.',
  },
  FAST_LANE_FAILED: {
    section: 'Handlers while they run',
    meaning: 'Log, error. The fast lane failed and is closed. Hits no longer use it.',
    cause: 'an error in this library or in a patched HTTP server.',
    remedy: 'report it with the cause in the line.',
  },
  UNKNOWN_STRATEGY: {
    section: 'Warming',
    meaning:
      'Error of `warm()`; 400 of `POST /cache/warm`. No warming strategy has that name. The message lists the known ones.',
    cause: 'a typing error, or the strategy is not listed as a provider.',
    remedy: 'correct the name, or add the class to `providers`.',
  },
  INVALID_WARMING_ENTRY: {
    section: 'Warming',
    meaning: 'In a report. A strategy yielded something that is not an entry.',
    cause:
      'no `key`, neither or both of `value` and `load`, a wrong `ttl` or `tags`, or `entries()` did not return an iterable.',
    remedy: 'yield `{ key, value }` or `{ key, load }`.',
  },
  WARMING_HANDLER_REFUSED: {
    section: 'Warming',
    meaning: 'In a report. A request of `warm:` failed or bypassed the cache.',
    cause: 'a guard refused it, its resource does not exist, or one of its headers makes it private.',
    remedy:
      'give the headers that the guard needs: `warm: [{ headers: { … } }]`; remove requests for resources that no longer exist.',
  },
  WARMING_ABORTED: {
    section: 'Warming',
    meaning: 'In a report; 503 of a route. A strategy was ended early.',
    cause: 'its `timeout`, five minutes without an entry, or the application is closing.',
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
    cause: 'the origin failed, or an error in the strategy.',
    remedy: 'the report names the class of the error.',
  },
  INVALID_RECORD: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Error of `CacheMetrics.record()`. The record has an unknown operation, result, time or size.',
    cause: 'a field has a wrong value: the message names it.',
    remedy: 'give one of the values that the message lists.',
  },
  UNKNOWN_WINDOW: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Error of `getStats()` and others. The window is not one of `1m`, `5m`, `1h`, `24h`, `all`.',
    cause: 'the name of the window is misspelt.',
    remedy: 'use one of these five.',
  },
  METRICS_OVERFLOW: {
    section: 'Metrics, exporters and other instances',
    meaning:
      'Log, warning. There are more patterns or endpoints than `metrics.maxPatterns` and `metrics.maxEndpoints` allow. Further ones are counted together as `__other__`.',
    cause: 'many patterns; often keys without a common prefix.',
    remedy: 'give keys a pattern with `metrics.patternOf`, or raise the limits.',
  },
  PATTERN_OF_FAILED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log, warning. `metrics.patternOf` threw. The patterns of such keys are detected instead.',
    cause: 'an error in your function.',
    remedy: 'return `undefined` for keys that it does not know.',
  },
  METRICS_NOT_RESTORED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log, warning. Metrics of an earlier run cannot be restored. Counting begins at zero.',
    cause:
      'another release wrote them, the file is damaged, or Redis did not answer: `LAYER_LOST` names the cause of a lost connection.',
    remedy: 'none is needed.',
  },
  METRICS_NOT_STORED: {
    section: 'Metrics, exporters and other instances',
    meaning:
      'Log, warning. Metrics cannot be written. Writing is tried again every 30 seconds. If the process ends before it succeeds, metrics since the last write are lost.',
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
      'Log, warning. Another running process keeps its metrics in the same place: after a restart, either one restores the metrics of the process that wrote last.',
    cause:
      'several processes of one host with `persistence: true`, such as workers of a cluster: they have the same host, which names the metrics in Redis, and the same namespace, which names the file.',
    remedy:
      "give each process its own place: `persistence: { layer: 'redis', name: `${hostname()}-${process.env.PORT}` }`, or `{ path }`.",
  },
  EXPORT_FAILED: {
    section: 'Metrics, exporters and other instances',
    meaning:
      'Log, warning. An exporter failed. Only its first failure is logged. It exports again at its next interval.',
    cause: 'its `start`, `export` or `stop` threw, rejected or did not return in time.',
    remedy: 'the line names the exporter. `cache_callback_errors_total{kind="exporter"}` counts its errors.',
  },
  EXPORTER_NOT_STARTED: {
    section: 'Metrics, exporters and other instances',
    meaning:
      'Log, warning. The `start()` of an exporter does not return. The application starts without it; the exporter exports once it has started.',
    cause: 'the exporter waits for a server that does not answer.',
    remedy: 'the line names the exporter. Correct its address.',
  },
  OBSERVER_FAILED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log, warning. A collector or observer threw or rejected. The cache continues without it.',
    cause: 'an error in that class.',
    remedy: 'the line names it. Further failures are only counted.',
  },
  LISTENER_FAILED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log, warning. A listener, such as one of `cache.on()`, threw or rejected.',
    cause: 'an error in that function.',
    remedy: 'as for `OBSERVER_FAILED`.',
  },
  SUBSCRIBER_FAILED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log, warning. A subscriber of a diagnostics channel threw or rejected.',
    cause: 'an error in that function.',
    remedy: 'as for `OBSERVER_FAILED`.',
  },
  TRACER_FAILED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log, warning. A tracer or one of its spans threw.',
    cause: 'an error in the tracer or in `tracing.sanitizeKey`.',
    remedy: 'as for `OBSERVER_FAILED`.',
  },
  FLEET_OFF: {
    section: 'Metrics, exporters and other instances',
    meaning: '409 of `?scope=fleet`; a log line at boot. Figures of all instances are not available.',
    cause: 'the option `fleet` is off, or no layer is shared.',
    remedy: 'set `fleet: true` and use a `redisLayer()`.',
  },
  FLEET_UNAVAILABLE: {
    section: 'Metrics, exporters and other instances',
    meaning: '503 of `?scope=fleet`. The figures of the other instances cannot be read.',
    cause: 'the shared layer does not answer.',
    remedy: 'restore it. `scope=instance` answers for this instance.',
  },
  POLICY_OUT_OF_BOUNDS: {
    section: 'Metrics, exporters and other instances',
    meaning: 'The TTL of an override is outside `tuning.bounds`.',
    cause: 'the bounds of the longest glob that fits the pattern do not allow it.',
    remedy: 'give a TTL within the bounds that the message names, or change `tuning.bounds`.',
  },
  TOO_MANY_OVERRIDES: {
    section: 'Metrics, exporters and other instances',
    meaning: '200 policies are already overridden, which is the limit.',
    cause: 'overrides without `for` were never reverted.',
    remedy: 'move proven values into the code and revert their overrides.',
  },
  NOT_OVERRIDDEN: {
    section: 'Metrics, exporters and other instances',
    meaning: 'The pattern has no override to revert.',
    cause: 'the override has ended, was never set, or belongs to another pattern.',
    remedy: '`GET /cache/policies` lists overrides.',
  },
  TTL_ADJUSTED: {
    section: 'Metrics, exporters and other instances',
    meaning:
      'Log. An automatic TTL has changed. The line gives the hit rate and stale share until now, the expected ones, and the number of accesses they are computed from.',
    cause: '`ttl: { auto: … }`, is set in this instance.',
    remedy: 'none; `GET /cache/policies` shows the expected figures and the measured ones.',
  },
  TTL_NOT_ADJUSTED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Warning. An automatic TTL cannot be changed and stays as it is.',
    cause: '200 policies are already overridden, which is the limit.',
    remedy: 'revert some of them.',
  },
  PREDICTION_STOPPED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log. Predictive warming of a pattern stops for a day.',
    cause:
      '`warming.predictive` is on, and fewer than a fifth of the entries that it warmed for the pattern were read before they expired.',
    remedy: 'none is needed. With a longer TTL, more of them are read.',
  },
  WARM_STARTED: {
    section: 'Metrics, exporters and other instances',
    meaning:
      'Log. Memory was filled from Redis before the application was ready. The line gives the number of entries.',
    cause: '`warming.warmStart`, which is on by default with a `redisLayer` behind a `memoryLayer`.',
    remedy: 'none is needed.',
  },
  WARM_START_FAILED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Warning. Memory could not be filled from Redis and starts empty.',
    cause: 'Redis does not answer, or refuses the command.',
    remedy: 'restore it. Entries are read into memory when they are requested.',
  },
  POLICY_OVERRIDDEN: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log. The policy of a pattern was overridden, with the values now in force, who set it, and when it ends.',
    cause: '`PUT /cache/policies` or `cache.tuning.override()`, in this instance or another.',
    remedy: 'none; `DELETE /cache/policies?pattern=…` reverts it.',
  },
  POLICY_RESTORED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log, a warning unless it was reverted on purpose. The override of a pattern has ended.',
    cause:
      'it was reverted, its time is over, a deploy changed the declared values, or `tuning.bounds` do not allow it.',
    remedy: 'override again if the new declared value is worse.',
  },
  POLICY_NOT_SHARED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Warning. An override is in force in this process but could not be written to Redis for the others.',
    cause: 'Redis does not answer.',
    remedy: 'restore Redis; the override is written once it answers.',
  },
  POLICY_SHARED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log. Overrides reach the other processes again.',
    cause: 'the fault of `POLICY_NOT_SHARED` has ended.',
    remedy: 'none is needed.',
  },
  POLICIES_NOT_READ: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Warning. The overrides of other processes cannot be read; those already read stay in force.',
    cause: 'Redis does not answer.',
    remedy: 'restore Redis; reading is tried again every 15 seconds.',
  },
  POLICIES_READ: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log. The overrides of other processes are read again.',
    cause: 'the fault of `POLICIES_NOT_READ` has ended.',
    remedy: 'none is needed.',
  },
  POLICY_REFUSED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Warning. An override in Redis is invalid and is ignored.',
    cause: 'another version of this library, or another program, wrote it.',
    remedy: 'deploy one version, or delete the foreign key.',
  },
  FLEET_NOT_PUBLISHED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log, warning. This instance cannot publish its figures.',
    cause: 'the shared layer does not answer.',
    remedy: 'restore it. `FLEET_RESTORED` follows.',
  },
  FLEET_RESTORED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log. This instance publishes its figures again.',
    cause: 'the shared layer answers again.',
    remedy: 'none is needed.',
  },
  FLEET_IMAGE_REFUSED: {
    section: 'Metrics, exporters and other instances',
    meaning: 'Log, warning. The figures of another instance cannot be read and are left out.',
    cause: 'the instance runs another release, as during a deploy.',
    remedy: 'none is needed: it stops when the deploy is complete.',
  },
  SLOW_QUERY: {
    section: 'Metrics, exporters and other instances',
    meaning:
      'Log, warning. A query took longer than `slowThreshold` of `observeQueries()`. The line shows its shape, never a literal.',
    cause: 'a slow statement.',
    remedy: 'see `GET /cache/database`.',
  },
  INVALID_PARAMETER: {
    section: 'Answers of the routes',
    meaning:
      '400\\. A query parameter has a value that is unknown or out of range, or is given twice. A parameter that the route does not know is ignored.',
    cause: 'a typing error. The message says what is allowed.',
    remedy: 'correct the parameter.',
  },
  INVALID_BODY: {
    section: 'Answers of the routes',
    meaning: '400\\. The JSON body has a wrong form or is too large.',
    cause: 'a field is wrong: the message names it.',
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
    cause: '`Sec-Fetch-Site` or `Origin` of the request names another site.',
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
    meaning: '404 of `PUT /cache/policies`. No handler declares the pattern, and no access to it was counted.',
    cause: 'the pattern is misspelt, or belongs to another cache (`?cache=`).',
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
    meaning: '404 of `GET /cache/warm/:id`. No run with this id is known.',
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
    meaning: '503 of `GET /cache/events`. The number of connected clients has reached `monitoring.maxEventClients`.',
    cause: 'too many open streams; the default limit is 50.',
    remedy: 'close some, raise the limit, or use `GET /cache/realtime`.',
  },
  UNKNOWN_SHAPE: {
    section: 'Answers of the routes',
    meaning: '404 of `GET /cache/database/plan`. No slow statement of this shape is known.',
    cause: 'newer shapes replaced it, metrics were reset, or the shape differs from the one in `slow_queries`.',
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
      'the database does not answer, no connection was free, or the statement needs its values (`INTERVAL ?`), was shortened, or consists of several statements.',
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
    cause: 'a deploy that changed keys, wider invalidation, crawlers, more instances, less memory.',
    remedy: '`GET /cache/stats/patterns` counts misses by reason; `GET /cache/insights` recommends changes.',
  },
  SLOW_LOADS: {
    section: 'Alerts',
    meaning: 'Alert. The p95 load time is at least 1.5 times the usual one.',
    cause: 'a slow origin: its database, its dependencies, its pool.',
    remedy: 'look at the origin; `staleWhileRevalidate` and `softTimeout` keep callers from waiting.',
  },
  ERRORS_RISE: {
    section: 'Alerts',
    meaning: 'Alert. More accesses and loads fail than is usual.',
    cause: 'an origin or a layer that fails.',
    remedy: 'the log and `GET /cache/stats/layers` name it; with `staleIfError` the stale value is served meanwhile.',
  },
  INVALIDATION_STORM: {
    section: 'Alerts',
    meaning: 'Alert. There are at least three times as many invalidations as usual, and at least thirty a minute.',
    cause: 'a job or an import that invalidates entries one by one, or invalidates too many.',
    remedy: 'invalidate once after the change, by narrower keys or tags.',
  },
  TRAFFIC_DROP: {
    section: 'Alerts',
    meaning: 'Alert. The cache, or a pattern, gets less than half of the usual requests.',
    cause: 'something in front of it fails, or requests bypass the cache (`GET /cache/stats` counts bypasses).',
    remedy:
      'look at the proxy or load balancer in front. If a route was removed on purpose, the alert ends after a day.',
  },
  POOL_BUSY: {
    section: 'Alerts',
    meaning: "Alert. More than 80 % of an observed pool's connections have been in use for five minutes.",
    cause: 'more load, or slower queries.',
    remedy: 'look at the slow queries in `GET /cache/database`. Above 95 % callers begin to wait.',
  },
  POOL_EXHAUSTED: {
    section: 'Alerts',
    meaning:
      "Alert. More than 95 % of an observed pool's connections have been in use for two minutes, and callers wait.",
    cause: 'slow queries, connections that are not returned to the pool, or a pool that is too small.',
    remedy: 'look at the slow queries in `GET /cache/database`, then raise the size of the pool.',
  },
  ALERT_OPENED: {
    section: 'Alerts',
    meaning:
      'Log, warning (level `log` for an alert of severity `info`). An alert opened; its code, severity and subject are in the details.',
    cause: 'see the code of the alert.',
    remedy: 'see the code of the alert.',
  },
  ALERT_CLOSED: {
    section: 'Alerts',
    meaning: 'Log. An alert closed.',
    cause: 'its condition has ended, or has lasted for a day and is now taken as normal.',
    remedy: 'none is needed.',
  },
  WEBHOOK_FAILED: {
    section: 'Alerts',
    meaning:
      'Log, warning, once until it works again. The receiver of `alerts.webhook` fails, does not answer or cannot be reached. Sending an alert is tried five times in about three minutes.',
    cause: 'the receiver, its address, or credentials that it refuses (`answers 401`, `answers 404`: not sent again).',
    remedy: 'check `alerts.webhook`; `cache_alert_webhook_total` counts the alerts that could not be sent.',
  },
  WEBHOOK_RESTORED: {
    section: 'Alerts',
    meaning: 'Log. The receiver of `alerts.webhook` accepts alerts again.',
    cause: 'it works again.',
    remedy: 'none is needed.',
  },
  LOW_HIT_RATE: {
    section: 'Health warnings',
    meaning:
      'Status `degraded`. The hit rate of the window is below `health.minHitRate`. Misses because a layer was lost are left out until ten minutes after the layer is back.',
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
    meaning: 'Status `warning`. A layer has no connection.',
    cause: 'the message names it, as for `LAYER_LOST`: refused, unknown host, TLS, password, permission, timeout.',
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
    meaning: 'A longer TTL would raise the hit rate, and the stale share would stay within its limit.',
    cause: 'entries expire before they are requested again.',
    remedy: 'set `ttl` to the value in `change`.',
  },
  LOWER_TTL: {
    section: 'Recommendations',
    meaning: 'The share of outdated hits is above its limit.',
    cause: 'values change much faster than they expire.',
    remedy: 'set `ttl` to the value in `change`, or invalidate after each change.',
  },
  MORE_MEMORY: {
    section: 'Recommendations',
    meaning: 'A larger memory layer would raise the hit rate.',
    cause: 'entries are evicted because memory is full, and then requested again.',
    remedy: 'raise `maxEntries` or `maxBytes` to the value in `change`.',
  },
  LESS_MEMORY: {
    section: 'Recommendations',
    meaning: 'A smaller memory layer would have nearly the same hit rate.',
    cause: 'the layer is full of entries that are rarely requested.',
    remedy: 'lower `maxEntries` or `maxBytes` to the value in `change`.',
  },
  KEY_TOO_SPECIFIC: {
    section: 'Recommendations',
    meaning: 'Most keys are requested only once, because they contain an input that the value does not depend on.',
    cause: 'a tracking parameter, a header or an argument in the key.',
    remedy: 'exclude it with `ignore`, or remove it from the keys that your code makes.',
  },
  NEVER_READ: {
    section: 'Recommendations',
    meaning: 'Entries expire or are removed before they are read.',
    cause: 'the keys of the pattern, or those that a strategy warms, are not requested again.',
    remedy: 'remove `@Cached`, or warm fewer keys.',
  },
  CHEAPER_THAN_CACHE: {
    section: 'Recommendations',
    meaning: 'The origin answers faster than the cache.',
    cause: 'a slow layer in front of a fast origin.',
    remedy: 'remove `@Cached`, or put `memoryLayer()` in front of the slow layer.',
  },
  VALUE_TOO_LARGE: {
    section: 'Recommendations',
    meaning: 'A few large values take most of the bytes and get few of the hits.',
    cause: 'values of very different sizes under one pattern.',
    remedy: 'store only a part of them, or set `maxEntrySize`.',
  },
  INVALIDATED_TOO_WIDELY: {
    section: 'Recommendations',
    meaning: 'Most misses follow invalidations, and most reloads return the same value.',
    cause: 'a glob or tag that matches more than has changed.',
    remedy: 'invalidate the changed key, or a tag of the changed entity.',
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
    meaning: 'After a start, many callers wait for a few keys.',
    cause: 'nothing loads these keys before they are requested.',
    remedy: 'warm them with `warm` on the handler, or with a strategy.',
  },
  LAYER_FAILS: {
    section: 'Recommendations',
    meaning: 'Most misses happened while a layer failed.',
    cause: 'an outage.',
    remedy: 'look at that layer.',
  },
  COLD_KEYS: {
    section: 'Recommendations',
    meaning: 'Most misses were requests for keys that had not been stored before.',
    cause: 'a part of the key changes with every request, or the cache has just started.',
    remedy: 'review the key; warm the keys that you know in advance.',
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
