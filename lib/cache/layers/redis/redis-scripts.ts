import { createHash } from 'node:crypto';
import { EPOCH_AT, EPOCH_END } from '../encoding/record-head.js';
import type { RedisArgument, RedisConnection, RedisNode } from './redis-connection.js';

/** A Lua script. It is sent by its hash, or in full if the server does not have it. */
export class RedisScript {
  readonly #text: string;
  readonly #sha: string;
  readonly #lists: readonly number[];

  /** @param lists the positions, from 1, of the keys that hold lists of the namespace (sorted sets). All other keys hold strings. */
  constructor(text: string, lists: readonly number[] = []) {
    this.#text = text;
    this.#lists = lists;
    this.#sha = createHash('sha1').update(text).digest('hex');
  }

  /** Loads the script into a server. */
  async load(node: RedisNode): Promise<void> {
    await node(['SCRIPT', 'LOAD', this.#text]);
  }

  async run(connection: RedisConnection, keys: readonly string[], argv: readonly RedisArgument[]): Promise<unknown> {
    const tail = [String(keys.length), ...keys, ...argv];
    try {
      return await this.#send(connection, keys[0]!, tail);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('WRONGTYPE')) throw error;
      const lists = this.#lists.map(String);
      await connection.send(keys[0]!, ['EVAL', REMOVE_WRONG_TYPES, String(keys.length), ...keys, ...lists]);
      return this.#send(connection, keys[0]!, tail);
    }
  }

  async #send(connection: RedisConnection, key: string, tail: readonly RedisArgument[]): Promise<unknown> {
    try {
      return await connection.send(key, ['EVALSHA', this.#sha, ...tail]);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('NOSCRIPT')) throw error;
      return connection.send(key, ['EVAL', this.#text, ...tail]);
    }
  }
}

/**
 * Removes keys and returns how many existed. If the user may use neither DEL nor UNLINK, the keys expire at once by PEXPIRE. If the user
 * may not use PEXPIRE either, SET replaces the value by an empty one, which counts as absent and expires after a millisecond.
 */
const REMOVE = `
local function remove(keys, first)
  for _, command in ipairs({ first, first == 'DEL' and 'UNLINK' or 'DEL' }) do
    local count = redis.pcall(command, unpack(keys))
    if type(count) == 'number' then return count end
  end
  local count = 0
  for _, key in ipairs(keys) do
    local done = redis.pcall('PEXPIRE', key, 0)
    if type(done) == 'table' then
      done = redis.pcall('SET', key, '', 'XX', 'PX', 1)
      -- Fail with the error of the first command, not with that of SET.
      if done and done.err then redis.call(first, key) end
      done = done and 1 or 0
    end
    count = count + done
  end
  return count
end
`;

/**
 * Removes values of an unexpected type under the script's keys, as if they had been evicted. Lists are sorted sets. The type cannot be
 * derived from the name, because a caller's key may end like the name of a list. ARGV the positions of the keys that hold lists.
 */
const REMOVE_WRONG_TYPES = `${REMOVE}
local lists = {}
for _, at in ipairs(ARGV) do lists[tonumber(at)] = true end
for at, key in ipairs(KEYS) do
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= (lists[at] and 'zset' or 'string') then remove({ key }, 'DEL') end
end
return 1`;

/** How long the state of a namespace is kept without use. */
const STATE_TTL_MS = 7 * 24 * 3_600_000;
/** How long a deletion is remembered, so that loads which began before it store nothing. Values of longer loads are not stored. */
export const FENCE_TTL_MS = 10 * 60_000;
/** How much longer than deletions globs are remembered, because the epochs of set values may be ahead of the server's time. */
const AHEAD_OF_LOADS_MS = 60_000;
/** The most microseconds that an epoch may be ahead of the server's time: the clock of a replaced server may have been ahead. */
const AHEAD_US = 24 * 3_600_000_000;
/** The most tags remembered. Further tags replace the oldest ones; tagged entries older than a dropped tag count as invalidated. */
const MAX_TAGS = 10_000;
/** The most globs remembered. Values of loads that began before the oldest one are not stored. */
export const MAX_GLOBS = 1_000;

/*
 * state: "epoch tags globs generation minTagEpoch all listener". The epoch is the last one assigned. When it is assigned, it is at least
 * the server's time in microseconds, so that it does not decrease, even on a server that was emptied or a replica that was promoted.
 * `tags` and `globs` are the epochs of the last invalidation by tag and by glob; they show whether a list was evicted. `generation`
 * distinguishes the states of a namespace: loads that began under another generation are refused. Entries with an epoch before `all`, and
 * tagged entries with an epoch before `minTagEpoch`, count as invalidated. `listener` is the number of the process that is known to be the
 * only one that receives messages, or 0.
 *
 * tags: a sorted set of tags by the epoch of their invalidation. globs: the same for globs. A glob is kept while older loads may run, and
 * longer while a sweep is unfinished. sweeps: the globs whose sweep is unfinished, by the epoch of their invalidation.
 */
const STATE = `
local function micros() local t = redis.call('TIME') return t[1] * 1000000 + t[2] end
local function digits(e) return string.format('%016.0f', e) end
local function possible(epoch) return epoch <= micros() + ${AHEAD_US} end
-- A state in another format, or with an epoch far ahead of the time, counts as absent.
local function parsed(text)
  local e, t, g, b, f, a, l = string.match(text or '', '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
  if not e then return nil end
  local s = {
    epoch = tonumber(e), tags = tonumber(t), globs = tonumber(g), generation = tonumber(b), minTagEpoch = tonumber(f), all = tonumber(a),
    listener = tonumber(l)
  }
  return possible(math.max(s.epoch, s.tags, s.globs, s.generation, s.minTagEpoch, s.all)) and s or nil
end
local function fenced(fence, since)
  return fence and #fence == 16 and not string.find(fence, '%D') and fence > since and possible(tonumber(fence))
end
local function keep(key, s)
  local text = string.format('%.0f %.0f %.0f %.0f %.0f %.0f %.0f', s.epoch, s.tags, s.globs, s.generation, s.minTagEpoch, s.all, s.listener)
  redis.call('SET', key, text, 'PX', ${STATE_TTL_MS})
  return text
end
-- Without a state, the entries that an unfinished sweep has left cannot be recognized: all older entries count as invalidated.
local function advanced(s, now, sweeps)
  if not s then
    local left = sweeps and redis.call('EXISTS', sweeps) == 1
    return { epoch = now, tags = 0, globs = 0, generation = now, minTagEpoch = now, all = left and now or 0, listener = 0 }
  end
  s.epoch = math.max(s.epoch + 1, now)
  return s
end
local function newest(key) return tonumber(redis.call('ZREVRANGE', key, 0, 0, 'WITHSCORES')[2] or 0) end
local function oldest(key) return tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] or 9999999999999999) end
local function set(key, record, px, mode)
  if px == '' then
    if mode then return redis.call('SET', key, record, mode) end
    return redis.call('SET', key, record)
  end
  if mode then return redis.call('SET', key, record, 'PX', px, mode) end
  return redis.call('SET', key, record, 'PX', px)
end
local function epochOf(key)
  local stored = redis.pcall('GETRANGE', key, ${EPOCH_AT}, ${EPOCH_END - 1})
  return type(stored) == 'string' and string.match(stored, '^%d+$') and #stored == ${EPOCH_END - EPOCH_AT} and stored
end
`;

/** The length of a colon and a UUID, which are appended to the shared channel to name the own channel. */
const OWN_SUFFIX = 37;

/*
 * Sends a message to the other processes. Sends nothing if this process is the only subscriber: then the shared channel and its own
 * channel have one subscriber each. Returns 2 if the user may not use the channel, otherwise 1. After a 2, the process sends its messages
 * outside of scripts, where the refusal is reported.
 */
const PUBLISH = `
local function publish(own, message)
  if message == '' then return 1 end
  local channel = string.sub(own, 1, -${OWN_SUFFIX + 1})
  local heard = redis.pcall('PUBSUB', 'NUMSUB', channel, own)
  if heard[2] == 1 and heard[4] == 1 then return 1 end
  local sent = redis.pcall('PUBLISH', channel, message)
  return type(sent) == 'number' and 1 or 2
end
`;

/** Returns the items of the lists that are newer than the epoch up to which a process has them. */
const NEWS = `
local function news(text, s, tags, globs, from)
  local function since(key) return redis.call('ZRANGEBYSCORE', key, from, '+inf', 'WITHSCORES') end
  return { text, since(tags), since(globs), digits(oldest(globs)) }
end
`;

export const scripts = {
  /** Returns the state, creating it if there is none. KEYS state, sweeps. */
  touch: new RedisScript(
    `${STATE}
local text = redis.call('GET', KEYS[1])
if not parsed(text) then return keep(KEYS[1], advanced(nil, micros(), KEYS[2])) end
redis.call('PEXPIRE', KEYS[1], ${STATE_TTL_MS})
return text`,
    [2],
  ),

  /**
   * Returns the state, creating it if there is none; the invalidations by tag and by glob since a version, or all of them if that version
   * had another generation; and the epoch of the oldest glob. KEYS state, tags, globs, sweeps. ARGV version, generation.
   */
  news: new RedisScript(
    `${STATE}${NEWS}
local text = redis.call('GET', KEYS[1])
local s = parsed(text)
if not s then
  s = advanced(nil, micros(), KEYS[4])
  text = keep(KEYS[1], s)
end
-- The list of globs was evicted during a sweep: entries older than that sweep count as invalidated.
if s.globs > newest(KEYS[3]) and newest(KEYS[4]) > s.all then
  s.all = newest(KEYS[4])
  text = keep(KEYS[1], s)
end
return news(text, s, KEYS[2], KEYS[3], s.generation == tonumber(ARGV[2]) and '(' .. ARGV[1] or '-inf')`,
    [2, 3, 4],
  ),

  /**
   * Registers a process as a receiver of messages, before it relies on them. KEYS state. ARGV number of the process. Returns 1 if
   * another process counted as the only receiver until now: that process may have omitted messages.
   */
  listen: new RedisScript(`${STATE}
local s = parsed(redis.call('GET', KEYS[1]))
if not s or s.listener == 0 or s.listener == tonumber(ARGV[1]) then return 0 end
s.listener = 0
keep(KEYS[1], s)
return 1`),

  /** Assigns the next epoch. Returns the new state. KEYS state, sweeps. */
  next: new RedisScript(
    `${STATE}
return keep(KEYS[1], advanced(parsed(redis.call('GET', KEYS[1])), micros(), KEYS[2]))`,
    [2],
  ),

  /**
   * Writes entries with one new epoch, unless the call comes too late, and notifies the other processes. KEYS state, sweeps, entries.
   * ARGV latest time (server ms), own channel, message or '' if no other process receives it, number of this process or '' if it may not
   * send messages, the epoch in the records, the state after its epoch as the caller knows it or '', concatenated records, their lengths
   * as 32-bit numbers or '' for one record, px of each, or one for all. Returns 1; 0 if the call came too late; 2 if the message was
   * refused; 3 if the caller must send the message, because another process may receive it by now. Adds the new state if the caller
   * knows another one.
   *
   * The epoch in the records is the caller's estimate of the server's time. In most calls the state is the one that the caller knows, and
   * older than that epoch. Then nothing was invalidated or set since, and the call cannot be too late. Otherwise, if the epoch is not newer
   * than the state's or is ahead of the server's time, another epoch is written into the records. This is the exception because cutting a
   * record costs the server more than writing it. The script does not use the functions of STATE and PUBLISH, because each call would
   * create them.
   */
  put: new RedisScript(
    `local sub, message, digits, tail, kept, old, text = string.sub, ARGV[3], ARGV[5], ARGV[6], false
if tail == '' then old = redis.call('GET', KEYS[1])
else
  text = digits .. tail
  old = redis.call('SET', KEYS[1], text, 'PX', ${STATE_TTL_MS}, 'GET')
  kept = old and sub(old, 17) == tail and sub(old, 1, 16) < digits
end
local stamped = kept
if not kept then
  local time, format = redis.call('TIME'), string.format
  local now = time[1] * 1000000 + time[2]
  local late = now > tonumber(ARGV[1]) * 1000
  local epoch, rest = string.match(old or '', '^(%d+)( %d+ %d+ %d+ %d+ %d+ %d+)$')
  epoch = tonumber(epoch)
  if epoch and epoch <= now + ${AHEAD_US} then
    stamped = epoch < tonumber(digits) and tonumber(digits) <= now
    if late then text = old
    else
      if not stamped then digits = format('%016.0f', math.max(epoch + 1, now)) end
      text = digits .. rest
    end
  else
    digits = format('%016.0f', now)
    text = format('%s 0 0 %.0f %.0f %.0f 0', digits, now, now, redis.call('EXISTS', KEYS[2]) == 1 and now or 0)
  end
  redis.call('SET', KEYS[1], text, 'PX', ${STATE_TTL_MS})
  if late then return { 0, text } end
end
local records, lengths, at = ARGV[7], ARGV[8], 1
for i = 3, #KEYS do
  local record, px = records, ARGV[i + 6] or ARGV[9]
  if lengths ~= '' then
    local length = struct.unpack('<I4', lengths, 4 * i - 11)
    record = sub(records, at, at + length - 1)
    at = at + length
  end
  if not stamped then record = sub(record, 1, ${EPOCH_AT}) .. digits .. sub(record, ${EPOCH_END + 1}) end
  if px == '' then redis.call('SET', KEYS[i], record) else redis.call('SET', KEYS[i], record, 'PX', px) end
end
if message == '' then
  if kept then return 1 end
  return { ARGV[4] == '' and 1 or 3, text }
end
local own = ARGV[2]
local channel = sub(own, 1, -${OWN_SUFFIX + 1})
local heard = redis.pcall('PUBSUB', 'NUMSUB', channel, own)
if heard[2] == 1 and heard[4] == 1 then
  text = string.match(text, '^(.* )%d+$') .. ARGV[4]
  redis.call('SET', KEYS[1], text, 'PX', ${STATE_TTL_MS})
  return { 1, text }
end
local sent = redis.pcall('PUBLISH', channel, message)
sent = type(sent) == 'number' and 1 or 2
return kept and sent or { sent, text }`,
    [2],
  ),

  /**
   * Writes values that were loaded or set since the epochs in their records, unless a newer write or invalidation came in between. The
   * script checks tags. If there are globs that the caller does not have yet, it writes nothing and returns them, and the caller checks
   * them. KEYS state, tags, globs, entries, fences. ARGV generation and version of the caller's state, own channel, message, one
   * character per entry ('0' if its key was absent at the read, '1' if it was present, 'r' if the same entry must still be there,
   * with its epoch after all of these characters), tags of each entry as JSON or '', that state after its epoch, records, px of
   * each, or one for all. Returns the result of publish(), or the new invalidations.
   *
   * In most calls the state is unchanged, and there are no fences and no entries. Entries are therefore first written under that assumption,
   * before any function is created. Records are separate arguments, because cutting them out of one text costs the server more than
   * reading them.
   */
  store: new RedisScript(
    `local n, modes, written = (#KEYS - 3) / 2, ARGV[5], 0
local got = redis.call('MGET', KEYS[1], unpack(KEYS, n + 4))
local function pxOf(i) return ARGV[n + 7 + i] or ARGV[n + 8] end
if got[1] and string.match(got[1], '^%d+(.*)$') == ARGV[7] then
  for i = 1, n do
    if got[i + 1] or string.byte(modes, i) ~= 48 then break end
    local px, done = pxOf(i)
    if px == '' then done = redis.call('SET', KEYS[i + 3], ARGV[i + 7], 'NX')
    else done = redis.call('SET', KEYS[i + 3], ARGV[i + 7], 'PX', px, 'NX') end
    if not done then break end
    written = i
  end
  if written == n and ARGV[4] == '' then return 1 end
end
${PUBLISH}${STATE}${NEWS}
local s = parsed(got[1])
if not s then
  -- The next read creates it again.
  if got[1] then redis.call('SET', KEYS[1], '', 'PX', 1) end
  return 1
end
if s.generation ~= tonumber(ARGV[1]) then return 1 end
local known = tonumber(ARGV[2])
if s.globs > known then return news(got[1], s, KEYS[2], KEYS[3], '(' .. ARGV[2]) end
local tags = s.tags > known and ARGV[6] ~= '' and cjson.decode(ARGV[6])
-- If the list of tags was evicted, tagged entries from before its last tag cannot be checked.
local lost = tags and newest(KEYS[2]) < s.tags
local function tagged(since, names)
  if #names == 0 then return false end
  if since < s.minTagEpoch or lost and since < s.tags then return true end
  for _, name in ipairs(names) do
    local noted = redis.call('ZSCORE', KEYS[2], name)
    if noted and tonumber(noted) > since then return true end
  end
end
local replaced = n + 1
for i = written + 1, n do
  local record, px = ARGV[i + 7], pxOf(i)
  local epoch = string.sub(record, ${EPOCH_AT + 1}, ${EPOCH_END})
  local mode, fence, key, since = string.sub(modes, i, i), got[i + 1], KEYS[i + 3], tonumber(epoch)
  if not (fenced(fence, epoch) or since < s.all or tags and tagged(since, tags[i])) then
    local done = mode == '0' and set(key, record, px, 'NX')
    if not done then
      local stored = epochOf(key)
      if mode == 'r' then done = stored == string.sub(modes, replaced, replaced + 15)
      else done = not (stored and stored > epoch) end
      if done then set(key, record, px) end
    end
    if done then written = written + 1 end
  end
  if mode == 'r' then replaced = replaced + 16 end
end
return written > 0 and publish(ARGV[3], ARGV[4]) or 1`,
    [2, 3],
  ),

  /** The same as `store`, for one entry whose state is in another slot. KEYS entry, fence. ARGV mode, record, px. Returns 1 if it was written. */
  storeApart: new RedisScript(`${STATE}
local record, mode, px = ARGV[2], string.sub(ARGV[1], 1, 1), ARGV[3]
local epoch = string.sub(record, ${EPOCH_AT + 1}, ${EPOCH_END})
local fence = redis.call('GET', KEYS[2])
if fenced(fence, epoch) then return 0 end
if mode == '0' and set(KEYS[1], record, px, 'NX') then return 1 end
local stored = epochOf(KEYS[1])
if mode == 'r' then
  if stored ~= string.sub(ARGV[1], 2) then return 0 end
elseif stored and stored > epoch then return 0 end
set(KEYS[1], record, px)
return 1`),

  /**
   * Deletes entries, sets fences and notifies the other processes. KEYS state, sweeps, entries, fences. ARGV own channel, message.
   * Returns how many existed, and the result of publish(). A full server still deletes. It cannot set fences, but running loads cannot
   * be written either.
   */
  remove: new RedisScript(
    `${STATE}${PUBLISH}${REMOVE}
local n = (#KEYS - 2) / 2
local count = remove({ unpack(KEYS, 3, n + 2) }, 'DEL')
pcall(function()
  local s = advanced(parsed(redis.call('GET', KEYS[1])), micros(), KEYS[2])
  keep(KEYS[1], s)
  local epoch = digits(s.epoch)
  for i = n + 3, #KEYS do redis.call('SET', KEYS[i], epoch, 'PX', ${FENCE_TTL_MS}) end
end)
return { count, publish(ARGV[1], ARGV[2]) }`,
    [2],
  ),

  /** The same as `remove`, for an entry whose state is in another slot. KEYS entry, fence. ARGV epoch. */
  removeApart: new RedisScript(`${REMOVE}
local count = remove({ KEYS[1] }, 'DEL')
redis.pcall('SET', KEYS[2], ARGV[1], 'PX', ${FENCE_TTL_MS})
return count`),

  /** Notes tags and notifies the other processes. KEYS state, sweeps, tags. ARGV own channel, message, tags. Returns the result of publish(). */
  noteTags: new RedisScript(
    `${STATE}${PUBLISH}
local s = advanced(parsed(redis.call('GET', KEYS[1])), micros(), KEYS[2])
-- The list of tags was evicted: tagged entries from before its last tag cannot be checked.
if newest(KEYS[3]) < s.tags then s.minTagEpoch = math.max(s.minTagEpoch, s.tags) end
s.tags = s.epoch
for i = 3, #ARGV do redis.call('ZADD', KEYS[3], string.format('%.0f', s.epoch), ARGV[i]) end
local over = redis.call('ZCARD', KEYS[3]) - ${MAX_TAGS}
if over > 0 then
  local last = redis.call('ZRANGE', KEYS[3], over - 1, over - 1, 'WITHSCORES')
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, over - 1)
  s.minTagEpoch = math.max(s.minTagEpoch, tonumber(last[2]) + 1)
end
redis.call('PEXPIRE', KEYS[3], ${STATE_TTL_MS})
keep(KEYS[1], s)
return publish(ARGV[1], ARGV[2])`,
    [2, 3],
  ),

  /**
   * Notes a glob, whose sweep begins, and notifies the other processes. KEYS state, sweeps, globs. ARGV own channel, message, glob.
   * Returns its epoch, the result of publish(), and 1 if a sweep has been unfinished for a minute.
   */
  noteGlob: new RedisScript(
    `${STATE}${PUBLISH}
local s = advanced(parsed(redis.call('GET', KEYS[1])), micros(), KEYS[2])
local now, forgotten, unswept = string.format('%.0f', s.epoch), s.epoch - ${FENCE_TTL_MS + AHEAD_OF_LOADS_MS} * 1000, oldest(KEYS[2])
if newest(KEYS[3]) < s.globs then
  -- The list of globs was evicted: it is unknown which running loads it concerned, and which entries a sweep has left.
  if s.globs > forgotten then s.generation = s.epoch end
  s.all = math.max(s.all, newest(KEYS[2]))
end
s.globs = s.epoch
redis.call('ZREMRANGEBYSCORE', KEYS[3], 0, string.format('%.0f', math.min(forgotten, unswept - 1)))
redis.call('ZADD', KEYS[3], now, ARGV[3])
redis.call('ZADD', KEYS[2], now, ARGV[3])
local over = redis.call('ZCARD', KEYS[3]) - ${MAX_GLOBS}
if over > 0 then
  local last = tonumber(redis.call('ZRANGE', KEYS[3], over - 1, over - 1, 'WITHSCORES')[2])
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, over - 1)
  -- A glob is dropped before its sweep has finished: all older entries count as invalidated.
  if unswept <= last then s.all = math.max(s.all, last + 1) end
end
redis.call('PEXPIRE', KEYS[3], ${STATE_TTL_MS})
redis.call('PEXPIRE', KEYS[2], ${STATE_TTL_MS})
keep(KEYS[1], s)
return { digits(s.epoch), publish(ARGV[1], ARGV[2]), unswept < s.epoch - 60000000 and 1 or 0 }`,
    [2, 3],
  ),

  /**
   * Notes that everything is invalidated, and notifies the other processes. KEYS state, sweeps. ARGV own channel, message. Returns its epoch
   * and the result of publish().
   */
  noteAll: new RedisScript(
    `${STATE}${PUBLISH}
local s = advanced(parsed(redis.call('GET', KEYS[1])), micros(), KEYS[2])
s.all = s.epoch
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1)
redis.call('ZADD', KEYS[2], string.format('%.0f', s.epoch), '*')
redis.call('PEXPIRE', KEYS[2], ${STATE_TTL_MS})
-- This comes last: if the user may not run the commands above, no attempt invalidates anything.
keep(KEYS[1], s)
return { digits(s.epoch), publish(ARGV[1], ARGV[2]) }`,
    [2],
  ),

  /** Remembers unfinished sweeps for longer, even if the lists were evicted. KEYS sweeps, globs. ARGV globs and epochs, alternating. */
  hold: new RedisScript(
    `
for i = 1, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], 'NX', ARGV[i + 1], ARGV[i])
  if ARGV[i] ~= '*' then redis.call('ZADD', KEYS[2], 'NX', ARGV[i + 1], ARGV[i]) end
end
redis.call('PEXPIRE', KEYS[1], ${STATE_TTL_MS})
redis.call('PEXPIRE', KEYS[2], ${STATE_TTL_MS})
return 1`,
    [1, 2],
  ),

  /** Notes that the sweep of a glob is finished. KEYS sweeps. ARGV glob, epoch. */
  swept: new RedisScript(
    `
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or 0) <= tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
return 1`,
    [1],
  ),

  /** Removes entries older than an epoch. KEYS entries. ARGV epoch. Returns how many existed. */
  removeOlder: new RedisScript(`${STATE}${REMOVE}
local older = {}
for i = 1, #KEYS do
  local stored = epochOf(KEYS[i])
  if not (stored and stored >= ARGV[1]) then older[#older + 1] = KEYS[i] end
end
return #older > 0 and remove(older, 'UNLINK') or 0`),

  /** Removes keys. KEYS entries. Returns how many existed. */
  unlink: new RedisScript(`${REMOVE}
return remove(KEYS, 'UNLINK')`),

  /** Removes a key if it holds this token. KEYS lock. ARGV token. */
  release: new RedisScript(
    `${REMOVE}
if redis.call('GET', KEYS[1]) == ARGV[1] then return remove(KEYS, 'DEL') end
return 0`,
  ),

  /** Prolongs a key if it holds this token. KEYS lock. ARGV token, milliseconds. */
  renew: new RedisScript(
    `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`,
  ),
} as const;
