import { createHash } from 'node:crypto';
import { EPOCH_AT, EPOCH_END } from '../encoding/record-head.js';
import type { RedisArgument, RedisConnection } from './redis-connection.js';

/** A Lua script that is sent by its hash, and in full only where the server does not know it. */
export class RedisScript {
  readonly #text: string;
  readonly #sha: string;

  constructor(text: string) {
    this.#text = text;
    this.#sha = createHash('sha1').update(text).digest('hex');
  }

  async run(connection: RedisConnection, keys: readonly string[], argv: readonly RedisArgument[]): Promise<unknown> {
    const tail = [String(keys.length), ...keys, ...argv];
    try {
      return await connection.send(keys[0]!, ['EVALSHA', this.#sha, ...tail]);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('NOSCRIPT')) throw error;
      return connection.send(keys[0]!, ['EVAL', this.#text, ...tail]);
    }
  }
}

/** How long the namespace's state lives without being used. */
const STATE_TTL_MS = 7 * 24 * 3_600_000;
/** How long deletions are remembered against loads that began before them; a longer load is not kept. */
export const FENCE_TTL_MS = 10 * 60_000;
/** Tags remembered; then the oldest go, and every tagged entry older than they with them. */
const MAX_TAGS = 10_000;
/** Globs remembered; then loads that began before the oldest are not kept. */
export const MAX_GLOBS = 1_000;

/*
 * state: "epoch tags globs birth floor". The epoch is the last one given, never less than the server's time in microseconds,
 * so that a server that was emptied, or a replica that was promoted, never goes back. `tags` and `globs` are the epochs of the
 * last invalidation by tag and by glob, which tell whether either list was evicted; `birth` tells the states of a namespace
 * apart: loads that began under another are refused; tagged entries from before `floor` count as invalidated.
 */
const STATE = `
local function micros() local t = redis.call('TIME') return t[1] * 1000000 + t[2] end
local function digits(e) return string.format('%016.0f', e) end
local function state(key)
  local e, t, g, b, f = string.match(redis.call('GET', key) or '', '^(%d+) (%d+) (%d+) (%d+) (%d+)$')
  if not e then return nil end
  return { epoch = tonumber(e), tags = tonumber(t), globs = tonumber(g), birth = tonumber(b), floor = tonumber(f) }
end
local function keep(key, s)
  local text = string.format('%.0f %.0f %.0f %.0f %.0f', s.epoch, s.tags, s.globs, s.birth, s.floor)
  redis.call('SET', key, text, 'PX', ${STATE_TTL_MS})
  return text
end
local function advanced(key)
  local s, now = state(key), micros()
  if not s then return { epoch = now, tags = 0, globs = 0, birth = now, floor = now } end
  s.epoch = math.max(s.epoch + 1, now)
  return s
end
local function bump(key)
  local s = advanced(key)
  return digits(s.epoch), keep(key, s)
end
local function present(key)
  local s = state(key)
  if s then return s, redis.call('GET', key) end
  s = advanced(key)
  return s, keep(key, s)
end
local function newest(key) return tonumber(redis.call('ZREVRANGE', key, 0, 0, 'WITHSCORES')[2] or 0) end
local function put(key, head, epoch, body, px)
  if px == '' then redis.call('SET', key, head .. epoch .. body)
  else redis.call('SET', key, head .. epoch .. body, 'PX', px) end
  return 1
end
local function writtenSince(key, epoch)
  local stored = redis.pcall('GETRANGE', key, ${EPOCH_AT}, ${EPOCH_END - 1})
  return type(stored) == 'string' and string.match(stored, '^%d+$') and #stored == ${EPOCH_END - EPOCH_AT} and stored > epoch
end
local function superseded(key, fence, epoch)
  local fenced = redis.call('GET', fence)
  return fenced and fenced > epoch or writtenSince(key, epoch)
end
`;

export const scripts = {
  /** The state, made where there is none. KEYS state. */
  touch: new RedisScript(`${STATE}
local s, text = present(KEYS[1])
redis.call('PEXPIRE', KEYS[1], ${STATE_TTL_MS})
return text`),

  /**
   * The state, made where there is none, and what was invalidated since a version of it; everything, where that was of
   * another birth. KEYS state, tags, globs. ARGV version, birth.
   */
  news: new RedisScript(`${STATE}
local s, text = present(KEYS[1])
local from = s.birth == tonumber(ARGV[2]) and '(' .. ARGV[1] or '-inf'
local function since(key) return redis.call('ZRANGEBYSCORE', key, from, '+inf', 'WITHSCORES') end
return { text, since(KEYS[2]), since(KEYS[3]) }`),

  /** The next epoch, as the new state. KEYS state. */
  next: new RedisScript(`${STATE} local e, text = bump(KEYS[1]) return text`),

  /** Writes with a new epoch, unless too late. KEYS entry, state. ARGV head, body, px, latest (server ms). */
  put: new RedisScript(`${STATE}
if micros() > tonumber(ARGV[4]) * 1000 then return 0 end
return put(KEYS[1], ARGV[1], (bump(KEYS[2])), ARGV[2], ARGV[3])`),

  /**
   * The same for many, with one new epoch. KEYS state, entries. ARGV latest, records one behind the other, their lengths as
   * 32-bit numbers, px of each, or one for all.
   */
  putMany: new RedisScript(`${STATE}
if micros() > tonumber(ARGV[1]) * 1000 then return 0 end
local epoch = bump(KEYS[1])
local records, lengths, at, sub, unpack = ARGV[2], ARGV[3], 1, string.sub, struct.unpack
for i = 2, #KEYS do
  local length = unpack('<I4', lengths, 4 * i - 7)
  put(KEYS[i], sub(records, at, at + ${EPOCH_AT - 1}), epoch, sub(records, at + ${EPOCH_END}, at + length - 1), ARGV[i + 2] or ARGV[4])
  at = at + length
end
return 1`),

  /**
   * Writes what was loaded since an epoch, unless something newer came between. Tags are judged here; globs that the caller
   * does not know yet are told to it, with their epochs, to be matched there.
   * KEYS entry, fence, state, tags, globs. ARGV head, epoch, body, px, ledger, birth, tags of the entry.
   * Returns 1, 0 (superseded), or the globs.
   */
  putSince: new RedisScript(`${STATE}
local s = state(KEYS[3])
if not s or s.birth ~= tonumber(ARGV[6]) then return 0 end
if superseded(KEYS[1], KEYS[2], ARGV[2]) then return 0 end
local since, known = tonumber(ARGV[2]), tonumber(ARGV[5])
if s.tags > known and #ARGV > 6 then
  -- Where the list has been evicted with what it said nothing can be judged.
  if since < s.floor or since < s.tags and newest(KEYS[4]) < s.tags then return 0 end
  for i = 7, #ARGV do
    local noted = redis.call('ZSCORE', KEYS[4], ARGV[i])
    if noted and tonumber(noted) > since then return 0 end
  end
end
if s.globs > known then
  if since < s.globs and newest(KEYS[5]) < s.globs then return 0 end
  local globs = redis.call('ZRANGEBYSCORE', KEYS[5], '(' .. ARGV[5], '+inf', 'WITHSCORES')
  -- So many that older ones may have been forgotten.
  if #globs >= ${2 * MAX_GLOBS} and since < tonumber(globs[2]) then return 0 end
  if #globs > 0 then return globs end
end
return put(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4])`),

  /** The same where the state is in another slot. KEYS entry, fence. ARGV head, epoch, body, px. */
  putSinceApart: new RedisScript(`${STATE}
if superseded(KEYS[1], KEYS[2], ARGV[2]) then return 0 end
return put(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4])`),

  /**
   * Deletes and fences. KEYS state, then entry and fence of each. Returns how many there were.
   * A server that is full still deletes; loads that run meanwhile are then fenced by nobody, nor can they be written.
   */
  remove: new RedisScript(`${STATE}
local count = 0
for i = 2, #KEYS, 2 do count = count + redis.call('DEL', KEYS[i]) end
pcall(function()
  local e = bump(KEYS[1])
  for i = 3, #KEYS, 2 do redis.call('SET', KEYS[i], e, 'PX', ${FENCE_TTL_MS}) end
end)
return count`),

  /** The same where the state is in another slot. KEYS entry, fence. ARGV epoch. */
  removeApart: new RedisScript(`
local count = redis.call('DEL', KEYS[1])
redis.pcall('SET', KEYS[2], ARGV[1], 'PX', ${FENCE_TTL_MS})
return count`),

  /** Notes tags. KEYS state, tags. ARGV tags. */
  noteTags: new RedisScript(`${STATE}
local s = advanced(KEYS[1])
-- Evicted with what it said: what is older than that cannot be trusted.
if newest(KEYS[2]) < s.tags then s.floor = math.max(s.floor, s.tags) end
s.tags = s.epoch
for i = 1, #ARGV do redis.call('ZADD', KEYS[2], string.format('%.0f', s.epoch), ARGV[i]) end
local over = redis.call('ZCARD', KEYS[2]) - ${MAX_TAGS}
if over > 0 then
  local last = redis.call('ZRANGE', KEYS[2], over - 1, over - 1, 'WITHSCORES')
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, over - 1)
  s.floor = math.max(s.floor, tonumber(last[2]) + 1)
end
keep(KEYS[1], s)
redis.call('PEXPIRE', KEYS[2], ${STATE_TTL_MS})
return 1`),

  /** Notes a glob. KEYS state, globs. ARGV glob. Returns its epoch. */
  noteGlob: new RedisScript(`${STATE}
local s = advanced(KEYS[1])
local oldest = s.epoch - ${FENCE_TTL_MS} * 1000
-- Evicted with what it said: of the loads under way nobody knows whom it meant.
if s.globs > oldest and newest(KEYS[2]) < s.globs then s.birth = s.epoch end
s.globs = s.epoch
redis.call('ZREMRANGEBYSCORE', KEYS[2], 0, string.format('%.0f', oldest))
redis.call('ZADD', KEYS[2], string.format('%.0f', s.epoch), ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -${MAX_GLOBS + 1})
keep(KEYS[1], s)
redis.call('PEXPIRE', KEYS[2], ${STATE_TTL_MS})
return digits(s.epoch)`),

  /** Removes what has not been written since an epoch. KEYS entries. ARGV epoch. Returns how many there were. */
  removeOlder: new RedisScript(`${STATE}
local count = 0
for i = 1, #KEYS do
  if not writtenSince(KEYS[i], ARGV[1]) then count = count + redis.call('UNLINK', KEYS[i]) end
end
return count`),

  /** Removes what holds this token. KEYS lock. ARGV token. */
  release: new RedisScript(
    `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`,
  ),

  /** Prolongs what holds this token. KEYS lock. ARGV token, milliseconds. */
  renew: new RedisScript(
    `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`,
  ),
} as const;
