import { defineScript } from 'redis';

/**
 * What must happen in Redis as one step. Keys:
 *
 *     askbase:message:<id>             hash: conversationId, question, askedAt, regenerates, status, standalone, answer, reason, server,
 *                                      attempt, swept
 *     askbase:frames:<id>              stream: one entry per frame, `f` its JSON, id `0-<seq + 1>`
 *     askbase:trace:<id>, :feedback:<id>   JSON
 *     askbase:conversation:<id>        hash: knowledgeBase, owner, title, createdAt, updatedAt
 *     askbase:messages:<conversation>  list of message ids, oldest first
 *     askbase:conversations            sorted set of conversation ids, the latest first (score: minus milliseconds)
 *     askbase:conversations:<owner>    the same, those of one owner
 *     askbase:keys                     hash: API keys as JSON by id; askbase:revoked: when they were revoked
 *     askbase:secrets                  hash: secrets by name
 *     askbase:handling:<conversation>  who answers there, as JSON; absent: the assistant, from the beginning
 *     askbase:handled                  sorted set of conversation ids that wait for a person or have one
 *     askbase:operator-messages:<conversation>  list of what people wrote there, as JSON, oldest first
 *     askbase:running                  set of message ids without a final frame
 *     askbase:traces                   sorted set of message ids by the number of their trace
 *     askbase:server:<id>              lease of a running server
 *
 * Some keys follow from what a script reads, so this is for one Redis (with replicas), not for Redis Cluster.
 */
const START = `
local message, conversation, list, conversations, running, lease, owned =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local messageId, conversationId, knowledgeBase, question, askedAt, score, server, attempt, leaseMs, owner, regenerates =
  ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11]
local known = redis.call('HGET', conversation, 'knowledgeBase')
if known and (known ~= knowledgeBase or redis.call('HGET', conversation, 'owner') ~= owner) then
  return 'elsewhere'
end
if redis.call('EXISTS', message) == 1 then
  return redis.call('HGET', message, 'attempt') == attempt and 'ok' or 'conflict'
end
if not known then
  redis.call('HSET', conversation, 'knowledgeBase', knowledgeBase, 'owner', owner, 'title', question, 'createdAt', askedAt,
    'updatedAt', askedAt)
elseif askedAt > redis.call('HGET', conversation, 'updatedAt') then
  redis.call('HSET', conversation, 'updatedAt', askedAt)
end
redis.call('HSET', message, 'conversationId', conversationId, 'question', question, 'askedAt', askedAt,
  'status', 'running', 'server', server, 'attempt', attempt)
if regenerates ~= '' then redis.call('HSET', message, 'regenerates', regenerates) end
redis.call('RPUSH', list, messageId)
redis.call('ZADD', conversations, 'LT', score, conversationId)
redis.call('ZADD', owned, 'LT', score, conversationId)
redis.call('SADD', running, messageId)
redis.call('SET', lease, '1', 'PX', leaseMs)
return 'ok'
`;

/** Per frame: seq, JSON, standalone question, status, answer, why there is none; empty where it has none. */
const APPEND = `
local message, frames, running = KEYS[1], KEYS[2], KEYS[3]
local messageId = ARGV[1]
local status = redis.call('HGET', message, 'status')
if not status then return 'missing' end
if status ~= 'running' then
  return redis.call('HEXISTS', message, 'swept') == 1 and 'interrupted' or 'ok'
end
local length = redis.call('XLEN', frames)
for at = 2, #ARGV, 6 do
  local seq = tonumber(ARGV[at])
  if seq > length then return 'gap' end
  if seq == length then
    redis.call('XADD', frames, '0-' .. (seq + 1), 'f', ARGV[at + 1])
    length = length + 1
    if ARGV[at + 2] ~= '' then redis.call('HSET', message, 'standalone', ARGV[at + 2]) end
    if ARGV[at + 3] ~= '' then
      redis.call('HSET', message, 'status', ARGV[at + 3], 'answer', ARGV[at + 4], 'reason', ARGV[at + 5])
      redis.call('SREM', running, messageId)
      break
    end
  end
end
redis.call('PUBLISH', frames, '')
return 'ok'
`;

/** Ends a message at its next seq where the server that wrote it is this one or gone. */
const INTERRUPT = `
local message, frames, running = KEYS[1], KEYS[2], KEYS[3]
local messageId, server, head, tail = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if redis.call('HGET', message, 'status') ~= 'running' then
  redis.call('SREM', running, messageId)
  return 0
end
local writer = redis.call('HGET', message, 'server')
if writer ~= server and redis.call('EXISTS', 'askbase:server:' .. writer) == 1 then return 0 end
local seq = redis.call('XLEN', frames)
redis.call('XADD', frames, '0-' .. (seq + 1), 'f', head .. seq .. tail)
redis.call('HSET', message, 'status', 'failed', 'swept', '1')
redis.call('SREM', running, messageId)
redis.call('PUBLISH', frames, '')
return 1
`;

const DELETE = `
local conversation, list, conversations, running, traces = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
for _, id in ipairs(redis.call('LRANGE', list, 0, -1)) do
  redis.call('DEL', 'askbase:message:' .. id, 'askbase:frames:' .. id, 'askbase:trace:' .. id,
    'askbase:feedback:' .. id)
  redis.call('SREM', running, id)
  redis.call('ZREM', traces, id)
  redis.call('PUBLISH', 'askbase:frames:' .. id, '')
end
redis.call('DEL', list, 'askbase:handling:' .. ARGV[1], 'askbase:operator-messages:' .. ARGV[1])
redis.call('ZREM', 'askbase:handled', ARGV[1])
redis.call('ZREM', conversations, ARGV[1])
local owner = redis.call('HGET', conversation, 'owner')
if owner then redis.call('ZREM', conversations .. ':' .. owner, ARGV[1]) end
return redis.call('DEL', conversation)
`;

const TRACE = `
local message, trace, traces, numbers = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
if redis.call('EXISTS', message) == 0 then return 0 end
redis.call('SET', trace, ARGV[2])
redis.call('ZADD', traces, redis.call('INCR', numbers), ARGV[1])
while redis.call('ZCARD', traces) > tonumber(ARGV[3]) do
  redis.call('DEL', 'askbase:trace:' .. redis.call('ZPOPMIN', traces)[1])
end
return 1
`;

const FEEDBACK = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
return 1
`;

/** Gives the handling that is in force then. Done twice, the second time changes nothing. */
const HANDLING = `
local conversation, handling, handled = KEYS[1], KEYS[2], KEYS[3]
local conversationId, from, to, state, score = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if redis.call('EXISTS', conversation) == 0 then return 'missing' end
local current = redis.call('GET', handling)
local before = current and cjson.decode(current).state or 'assistant'
if not string.find(from, ',' .. before .. ',', 1, true) then return current or to end
redis.call('SET', handling, to)
if state == 'assistant' then redis.call('ZREM', handled, conversationId)
else redis.call('ZADD', handled, score, conversationId) end
return to
`;

/** Gives the message with the question before it. Done twice, it is there once. */
const OPERATOR_MESSAGE = `
local conversation, questions, messages = KEYS[1], KEYS[2], KEYS[3]
local id, head, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
if redis.call('EXISTS', conversation) == 0 then return 'missing' end
local last = redis.call('LINDEX', messages, -1)
if last and cjson.decode(last).operatorMessageId == id then return last end
if redis.call('LLEN', messages) >= most then return 'full' end
local after = redis.call('LINDEX', questions, -1)
local message = head .. ',"afterMessageId":' .. (after and cjson.encode(after) or 'null') .. '}'
redis.call('RPUSH', messages, message)
return message
`;

export const redisScripts = {
  startMessage: script<'ok' | 'elsewhere' | 'conflict'>(START, 7),
  appendFrames: script<'ok' | 'missing' | 'interrupted' | 'gap'>(APPEND, 3),
  interruptMessage: script<number>(INTERRUPT, 3),
  deleteConversation: script<number>(DELETE, 5),
  writeTrace: script<number>(TRACE, 4),
  giveFeedback: script<number>(FEEDBACK, 2),
  changeHandling: script<string>(HANDLING, 3),
  addOperatorMessage: script<string>(OPERATOR_MESSAGE, 3),
};

export interface Parser {
  pushKeys(keys: string[]): unknown;
  push(...args: string[]): unknown;
}

function script<Reply>(source: string, numberOfKeys: number) {
  return defineScript({
    SCRIPT: source,
    NUMBER_OF_KEYS: numberOfKeys,
    parseCommand(parser: Parser, keys: string[], args: string[]) {
      parser.pushKeys(keys);
      parser.push(...args);
    },
    transformReply: undefined as unknown as () => Reply,
  });
}
