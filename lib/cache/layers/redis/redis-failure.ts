import { CacheError } from '../../base/errors.js';
import { errorKind, explainError, innerErrors, isError } from '../../base/redacted-error.js';

/** What is wrong, worded to follow the address, and what to do. */
interface Explanation {
  readonly what: string;
  readonly remedy: string;
}

const SCHEMES = 'A server with TLS needs rediss://, a server without TLS needs redis://';
const CLOSED: Explanation = { what: 'closed the connection', remedy: `Check that it is a Redis server. ${SCHEMES}` };
const LEFT: Explanation = { what: 'closed the connection', remedy: 'Check that its server runs' };

/** The most levels of causes that are searched. */
const DEPTH = 5;

/**
 * Returns a `LAYER_UNAVAILABLE` error that explains why Redis cannot be used: the address, what the system or the server answered, and
 * what to do. It repeats only the code of the original error, or the code at the beginning of a server's refusal, because messages may
 * contain keys and credentials.
 * @param address the address without credentials. @param hasServed true if the connection was established before.
 */
export function redisFailure(error: unknown, address: string, hasServed = false): CacheError {
  const found = explained(error, DEPTH);
  const explanation = found === CLOSED && hasServed ? LEFT : (found ?? unknown(error));
  return new CacheError('LAYER_UNAVAILABLE', `${address} ${explanation.what}. ${explanation.remedy}.`, {
    cause: error,
  });
}

/** True if {@link redisFailure} names the cause. */
export function isExplained(error: unknown): boolean {
  return explained(error, DEPTH) !== undefined;
}

/** Attaches an explanation to the error of a failed operation. The log then shows what is wrong and what to do, not where the client threw. */
export function explainFailure(error: unknown, address: string): void {
  explainError(error, () => {
    if (errorKind(error) === 'DisconnectsClientError') {
      return `${address} had not answered when this process closed the connection. Check that its server runs.`;
    }
    const found = explained(error, DEPTH);
    return found === undefined ? undefined : `${address} ${found.what}. ${found.remedy}.`;
  });
}

/** True if a server refuses a command: the user may not run it, or the provider has disabled it. */
export function isCommandRefused(error: unknown): boolean {
  return isError(error) && /^NOPERM |^ERR unknown command/i.test(error.message);
}

function unknown(error: unknown): Explanation {
  return { what: `cannot be used (${errorKind(error)})`, remedy: 'Connecting is retried' };
}

function explained(error: unknown, depth: number): Explanation | undefined {
  if (!isError(error)) return undefined;
  return explanationOf(error) ?? (depth === 0 ? undefined : explainedCause(error, depth - 1));
}

function explainedCause(error: Error, depth: number): Explanation | undefined {
  for (const one of innerErrors(error)) {
    const found = explained(one, depth);
    if (found !== undefined) return found;
  }
  return undefined;
}

function explanationOf(error: Error): Explanation | undefined {
  const code = errorKind(error);
  return ofSystem(code) ?? ofTls(code, error.message) ?? ofReply(error.message) ?? ofClient(error);
}

/** Explains an error code of the operating system. */
function ofSystem(code: string): Explanation | undefined {
  switch (code) {
    case 'ECONNREFUSED':
      return { what: 'refuses connections (ECONNREFUSED)', remedy: 'Start its server, or correct the address' };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { what: `has an unknown host name (${code})`, remedy: 'Correct the address, or the name server' };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return { what: `cannot be reached from here (${code})`, remedy: 'Check the address, the network and firewalls' };
    case 'ETIMEDOUT':
    case 'ConnectionTimeoutError':
    case 'SocketTimeoutError':
      return {
        what: 'does not answer in time',
        remedy: `Check that a Redis server runs there and that no firewall blocks it. ${SCHEMES}`,
      };
    case 'ECONNRESET':
    case 'EPIPE':
    case 'SocketClosedUnexpectedlyError':
      return CLOSED;
    default:
      return undefined;
  }
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/;

function ofTls(code: string, message: string): Explanation | undefined {
  if (/wrong version number|packet length too long/i.test(message)) {
    return { what: 'does not speak TLS', remedy: 'Use redis://' };
  }
  if (CERTIFICATE.test(code)) {
    return {
      what: `has a certificate that is not trusted (${code})`,
      remedy: 'Give its authority as connection: { tls: { ca } }',
    };
  }
  return /^ERR_(?:SSL|TLS)_|^EPROTO$/.test(code)
    ? {
        what: `failed to agree on TLS (${code})`,
        remedy: 'Use redis:// if the server has no TLS, or give connection: { tls }',
      }
    : undefined;
}

/** Explains a server's refusal by the code at its beginning. */
function ofReply(message: string): Explanation | undefined {
  const code = /^([A-Z]{2,20}) /.exec(message)?.[1];
  const needs = (what: string, remedy: string): Explanation => ({ what: `${what} (${code})`, remedy });
  switch (code) {
    case 'NOAUTH':
      return needs('needs a password', 'Put it into the address: redis://user:password@host:port');
    case 'WRONGPASS':
      return needs('refuses the user name or the password', 'Correct them in the address or in connection');
    case 'NOPERM':
      return ofPermission(message);
    case 'LOADING':
      return needs('is loading its data', 'It is used as soon as it is ready');
    case 'MASTERDOWN':
    case 'READONLY':
      return needs('is a replica that takes no writes', 'Give the address of its master, or use sentinel');
    case 'CLUSTERDOWN':
      return needs('is a cluster that does not serve all slots', 'Check its nodes with CLUSTER INFO');
    case 'MISCONF':
      return needs('takes no writes, since it cannot save to its disk', 'Check its log and its disk');
    case 'OOM':
      return needs('takes no writes, since its memory is full', 'Raise maxmemory, or set maxmemory-policy allkeys-lru');
    case 'ERR':
      return ofPlainError(message);
    default:
      return undefined;
  }
}

const RIGHTS = 'Give it the rights that docs/security.md lists under The rights of a Redis user';

/** Explains why a script failed: the user may not run one of its commands. Redis 7.0 does not name that command. */
function ofScript(message: string): Explanation | undefined {
  const command = /permissions to run the '([a-z|]{1,40})' command/.exec(message)?.[1];
  if (command !== undefined) return ofCommand(command);
  if (/can't run this command/.test(message)) {
    return { what: 'does not permit the user to run a command of the scripts (NOPERM)', remedy: RIGHTS };
  }
  return /can't access at least one of the keys|permissions to access (?:the '|a key|one of the keys)/.test(message)
    ? ofPermission(message)
    : undefined;
}

function ofPlainError(message: string): Explanation | undefined {
  const disabled = /^ERR unknown command [`'"]?([a-z|]{1,40})\b/i.exec(message)?.[1]?.toUpperCase();
  if (disabled !== undefined) {
    return { what: `does not know the command ${disabled}`, remedy: 'Ask its provider to enable it' };
  }
  if (/DB index is out of range|invalid DB index/i.test(message)) {
    return { what: 'has no database of that number', remedy: 'Correct the number at the end of the address' };
  }
  if (/without any password configured|no password is set/i.test(message)) {
    return { what: 'has no password, but one was given', remedy: 'Leave it out of the address' };
  }
  if (/cluster support disabled/i.test(message)) {
    return { what: 'is not a cluster', remedy: 'Use url in place of cluster' };
  }
  if (/max number of clients/i.test(message)) {
    return { what: 'has reached its limit of clients', remedy: 'Raise maxclients' };
  }
  return ofScript(message);
}

/** Names the command if the server's message names it. Does not repeat keys. */
function ofPermission(message: string): Explanation {
  const command = /run the '([a-z|]{1,40})' command/.exec(message)?.[1];
  if (command !== undefined) return ofCommand(command);
  return {
    what: `does not permit the user to use the ${message.includes('channel') ? 'channels' : 'keys'} of this cache (NOPERM)`,
    remedy: 'Permit those of the namespace: ACL SETUSER <user> ~<namespace>:* &<namespace>:*',
  };
}

function ofCommand(command: string): Explanation {
  return {
    what: `does not permit the user to run ${command.toUpperCase()} (NOPERM)`,
    remedy: `Permit it: ACL SETUSER <user> +${command}`,
  };
}

function ofClient(error: Error): Explanation | undefined {
  if (/reply type byte|Unexpected token|Protocol error/i.test(error.message)) {
    return { what: 'is not a Redis', remedy: 'Correct the address' };
  }
  if (error.message.startsWith('No sentinel knows a master')) {
    return { what: 'is unknown to its sentinels', remedy: 'Correct the name in sentinel' };
  }
  if (/getClientAndSlotNumber/.test(error.stack ?? '')) {
    return { what: 'is a cluster without slots', remedy: 'Assign its slots: redis-cli --cluster create' };
  }
  return undefined;
}
