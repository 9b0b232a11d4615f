import type { IncomingHttpHeaders } from 'node:http';
import {
  applyDecorators,
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  UseGuards,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { MonitoringError } from './monitoring-error.js';
import type { Monitoring, MonitoringOptions } from './monitoring.options.js';

/** Forbids storing the answer. It runs before all other guards, so that the answers of guards that refuse are not stored either. */
@Injectable()
export class NoStore implements CanActivate {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {}

  canActivate(context: ExecutionContext): boolean {
    this.host.httpAdapter.setHeader(context.switchToHttp().getResponse(), 'Cache-Control', 'no-store');
    return true;
  }
}

/**
 * Which requests may change data through the routes: all, those that the application's guards accept, those of peers on the
 * loopback interface, or none.
 */
export type WriteAccess = 'open' | 'guarded' | 'loopback' | 'closed';

/** Values of `NODE_ENV` under which writes are open without guards. */
const OPEN_ENVIRONMENTS: readonly string[] = ['development', 'test'];

/**
 * Decides which requests may change data: `guarded` with `guards` or `writeGuards`; without them `open` with `allowUnguarded` or
 * if `NODE_ENV` is `development` or `test`, `loopback` if it is not set, else `closed`.
 */
export function writeAccess(
  monitoring: Required<Pick<MonitoringOptions, 'guards' | 'writeGuards' | 'allowUnguarded'>>,
  environment = process.env['NODE_ENV'],
): WriteAccess {
  if (monitoring.guards.length > 0 || monitoring.writeGuards.length > 0) return 'guarded';
  if (monitoring.allowUnguarded) return 'open';
  if (environment === undefined || environment === '') return 'loopback';
  return OPEN_ENVIRONMENTS.includes(environment) ? 'open' : 'closed';
}

/** The parts of a request that decide whether it may write; Fastify's request contains Node's as `raw`. */
interface WriteRequest {
  readonly headers: IncomingHttpHeaders;
  readonly socket?: { readonly remoteAddress?: string | undefined };
  readonly raw?: WriteRequest;
}

/**
 * Guards a route that changes data. A page of another site can make a browser send a form or a simple request with the user's cookies or
 * from inside the user's network. Such requests are refused. Bodies that are not declared as JSON are refused too, because JSON from
 * another site needs a preflight. Then {@link writeAccess} decides, then the application's `writeGuards`.
 */
export function Write(monitoring: Monitoring): MethodDecorator {
  const guard: CanActivate = {
    canActivate(context: ExecutionContext): boolean {
      const request = context.switchToHttp().getRequest<WriteRequest>();
      refuseOtherSites(request.headers, monitoring.origins);
      refuseOtherBodies(request.headers);
      refuseStrangers(request, writeAccess(monitoring));
      return true;
    },
  };
  return applyDecorators(UseGuards(guard, ...monitoring.writeGuards));
}

function refuseOtherSites(headers: IncomingHttpHeaders, allowed: readonly string[]): void {
  const { origin } = headers;
  if (origin !== undefined && allowed.some((one) => sameOrigin(one, origin))) return;
  const site = headers['sec-fetch-site'];
  if (site === undefined ? origin === undefined || isOfHost(origin, hostOf(headers)) : isOwnSite(site)) return;
  throw new MonitoringError(
    403,
    'CROSS_SITE_REQUEST',
    'Requests that change the cache are refused from pages of other sites. List such a site in monitoring.origins to allow it.',
  );
}

function isOwnSite(site: string | string[]): boolean {
  return site === 'same-origin' || site === 'none';
}

function hostOf(headers: IncomingHttpHeaders): string | undefined {
  const authority = headers[':authority'];
  return headers.host ?? (typeof authority === 'string' ? authority : undefined);
}

function isOfHost(origin: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: own } = new URL(origin);
  // Parsed with the scheme of the page, so that the default port equals no port.
  return URL.canParse(`${protocol}//${host}`) && new URL(`${protocol}//${host}`).host === own && own !== '';
}

function sameOrigin(allowed: string, origin: string): boolean {
  if (allowed === origin) return true;
  return URL.canParse(allowed) && URL.canParse(origin) && originOf(allowed) === originOf(origin);
}

function originOf(address: string): string {
  const { protocol, host } = new URL(address);
  return `${protocol}//${host}`;
}

function refuseOtherBodies(headers: IncomingHttpHeaders): void {
  const length = headers['content-length'];
  const hasBody = headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
  if (!hasBody || /^\s*application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) return;
  throw new MonitoringError(
    415,
    'UNSUPPORTED_MEDIA_TYPE',
    'Requests that change the cache take a JSON body. Send it with Content-Type: application/json.',
  );
}

function refuseStrangers(request: WriteRequest, access: WriteAccess): void {
  if (access === 'guarded' || access === 'open') return;
  if (access === 'loopback' && isFromHere(request)) return;
  const why =
    access === 'loopback'
      ? 'NODE_ENV is not set, so they are open to direct requests from this machine only'
      : `NODE_ENV is ${process.env['NODE_ENV']} and nothing protects them`;
  throw new MonitoringError(
    403,
    'WRITES_DISABLED',
    `Routes that change the cache are closed: ${why}. Set monitoring.guards or monitoring.writeGuards, ` +
      'or monitoring.allowUnguarded if something in front of the application protects them.',
  );
}

const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/;
/** The host names of this machine. Any other name may belong to a foreign site whose DNS entry points here (DNS rebinding). */
const LOCAL_HOST = /^(?:(?:[\w-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])\.?(?::\d+)?$/i;
const FORWARDED = /^(?:forwarded|via|x-forwarded.*|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip|x-envoy-.*)$/;

/** True if the request comes directly from this machine, without a proxy. */
function isFromHere({ headers, socket, raw }: WriteRequest): boolean {
  const peer = (raw?.socket ?? socket)?.remoteAddress ?? '';
  if (!LOOPBACK.test(peer) || !LOCAL_HOST.test(hostOf(headers) ?? '')) return false;
  return !Object.keys(headers).some((name) => FORWARDED.test(name));
}
