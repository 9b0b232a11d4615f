import type { ProvidedClass } from '../decoration/decorated-classes.js';
import type { CachedSite, Method } from '../decoration/method-site.js';
import { declaredParameters } from '../inputs/route-arguments.js';
import { isStorable } from './response-capture.js';

/** Returns why an HTTP handler is never cached; undefined if it can be cached. */
export function neverCachedHttp(
  { cls }: ProvidedClass,
  { method }: CachedSite,
  implementation: Method,
): string | undefined {
  const has = (key: string) => Reflect.getMetadata(key, implementation) !== undefined;
  if (has('__sse__')) return 'server-sent events are a stream';
  if (has('__renderTemplate__')) return '@Render() renders a page';
  if (has('__redirect__')) return '@Redirect() answers with a redirect';
  const passthrough: unknown = Reflect.getMetadata('__responsePassthrough__', cls, method as string);
  const codes = (declaredParameters(cls, method) ?? []).map(({ code }) => code);
  if (codes.includes(2) || (codes.includes(1) && passthrough !== true)) {
    return 'it responds by @Res() or @Next() itself; use @Res({ passthrough: true })';
  }
  const status: unknown = Reflect.getMetadata('__httpCode__', implementation);
  if (typeof status === 'number' && !isStorable(status)) return `it answers with status ${status}`;
  return undefined;
}
