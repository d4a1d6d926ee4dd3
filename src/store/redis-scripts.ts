/**
 * The Lua scripts, each one atomic step of Redis (5 or later; they write after asking for the time).
 *
 * The time is that of Redis, not of the caller. Several nodes share each key, and their clocks differ: a node that is
 * ahead by a period would end everybody's windows, and ages of entries would be off by the difference. With one clock
 * only spans of time cross the wire, and no clock of ours has to be right.
 */

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * KEYS: counter. ARGV: amount, limit, period ms, lock-out ms. The steps of `hitCounter` in src/ratelimit/counter.ts;
 * the value is "count windowEndsAt lockedUntil" and lives until both are over.
 *
 * Returns count, ms until the window ends, ms until the lock-out ends.
 */
export const HIT = `${NOW}
local amount, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local period, lockout = tonumber(ARGV[3]), tonumber(ARGV[4])
local count, ends, locked = 0, 0, 0
local value = redis.call('GET', KEYS[1])
if value then
  local c, e, l = string.match(value, '^(%d+) (%d+) (%d+)$')
  if c then count, ends, locked = tonumber(c), tonumber(e), tonumber(l) end
end
ends = math.min(ends, now + period)
locked = math.min(locked, now + lockout)
if locked <= now then
  if ends <= now then
    count = 0
    ends = amount > 0 and now + period or 0
  end
  count = math.min(count + amount, 9007199254740991)
  local locks = count > limit and lockout > 0
  if locks then locked = now + lockout end
  if amount > 0 or locks then
    redis.call('SET', KEYS[1], string.format('%.0f %.0f %.0f', count, ends, locked), 'PX', math.max(ends, locked) - now)
  end
end
return { count, math.max(ends - now, 0), math.max(locked - now, 0) }
`;

/** Bytes of one entry: short id (4), epoch ms of Redis (6, big-endian). */
export const ENTRY_BYTES = 10;

/** KEYS: session. Returns the time and the entries, newest first, `ENTRY_BYTES` each. */
export const READ = `${NOW}
return { now, redis.call('GET', KEYS[1]) or '' }
`;

/**
 * KEYS: session. ARGV: short id (4 bytes), ms since the request arrived, most entries, greatest idleness in ms. The
 * steps of `recordEntry` in src/sequence/store.ts.
 *
 * Returns the time and the entries as they were before.
 */
export const APPEND = `${NOW}
local old = redis.call('GET', KEYS[1]) or ''
local most, idle = tonumber(ARGV[3]), tonumber(ARGV[4])
local at = now - tonumber(ARGV[2])
if #old > 0 then at = math.max(at, struct.unpack('>I6', old, 5) + 1) end
local left = at + idle - now
if left < 0 then return { now, old } end
local all = ARGV[1] .. struct.pack('>I6', at) .. old
local kept, runs, newer = {}, 0, nil
for index = 1, #all / ${ENTRY_BYTES} do
  local first = (index - 1) * ${ENTRY_BYTES} + 1
  local op = string.sub(all, first, first + 3)
  local begins = op ~= newer
  newer = op
  if begins then runs = runs + 1 end
  if runs > most then break end
  if index <= most or begins then kept[#kept + 1] = string.sub(all, first, first + ${ENTRY_BYTES - 1}) end
end
redis.call('SET', KEYS[1], table.concat(kept), 'PX', math.max(left, 1))
return { now, old }
`;
