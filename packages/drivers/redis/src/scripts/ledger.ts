import { packs } from "./packs.ts";
import { waking } from "./waiters.ts";

/**
 * What lends letters, under the prefix P: of a mailbox, or of a durable of a log (L is the log then, otherwise nil).
 *   P:b  bodies by number (of a durable: of redriven ones alone)     P:w  what can be lent, in order
 *   P:t  what is held: number -> "attempt token"                     P:n  attempts so far, where there were some
 *   P:q  what was never lent and has no key or life, in the order in which it could be had
 *   P:c  when: "h" and number, the end of a lease; "e" and number, of a letter's life; "p": see packs.ts
 *   P:d  what is delayed, by when it is due                          P:x  key and end of life, where a letter has one
 *   P:l  letters with a key, "key NUL number", in order              P:dz dead ones in order; P:db what they were
 *   P:v  clients that wait                                           P:z  when the waiting clients look again by themselves
 * Times are milliseconds of the server's clock. maxA is the number of attempts.
 */
export const ledger: string = `${waking}
-- rare: what there mostly is none of: letters that were put back, that were lent before, or with a key or life. freed: there is more to lend, or
-- will be sooner, than before.
local P,L,maxA,leaseMs,hasMeta
local rare,freed=true,false
${packs}
local function lanes(key,s) return key..'\\0'..string.format('%016d',s) end
local function meta(s)
  local x=not L and call('HGET',P..':x',s)
  if not x then return nil,nil end
  local at=string.find(x,'\\0',1,true)
  local key,ends=string.sub(x,1,at-1),string.sub(x,at+1)
  return key~='' and key or nil, ends~='' and tonumber(ends) or nil
end
local function head(key)
  local first=call('ZRANGEBYLEX',P..':l','['..key..'\\0','('..key..'\\1','LIMIT','0','1')[1]
  return first and string.format('%d',tonumber(string.sub(first,#key+2)))
end
local function admit(s,key)
  if key and head(key)~=s then return end
  freed=true
  call('ZADD',P..':w',s,s)
end
local function finish(s)
  local key,ends=meta(s)
  call('HDEL',P..':b',s) call('HDEL',P..':n',s) call('ZREM',P..':w',s) call('ZREM',P..':d',s)
  if ends then call('ZREM',P..':c','e'..s) end
  if key or ends then call('HDEL',P..':x',s) end
  if not key then return end
  call('ZREM',P..':l',lanes(key,s))
  local next=head(key)
  if next and not call('ZSCORE',P..':d',next) and call('HEXISTS',P..':t',next)==0 then
    freed=true
    call('ZADD',P..':w',next,next)
  end
end
local function body(s)
  local own=call('HGET',P..':b',s)
  if own or not L then return own end
  local entry=call('XRANGE',L..':e',s..'-0',s..'-0')[1]
  return entry and entry[2][2]..'\\n'..entry[2][4]..'\\n'..entry[2][6]
end
local function bury(s,attempt,code,message)
  local text=body(s)
  if text then
    local key=meta(s)
    local order=call('HINCRBY',P..':o','dn',1)
    call('ZADD',P..':dz',order,s)
    call('HSET',P..':db',s,cmsgpack.pack({text,attempt,now,code,message,key or ''}))
  end
  finish(s)
end
local function putBack(s,attempt,delay)
  local key,ends=meta(s)
  if ends and ends<=now then finish(s) return end
  if attempt>0 then call('HSET',P..':n',s,attempt) else call('HDEL',P..':n',s) end
  if delay>0 then
    freed=true
    call('ZADD',P..':d',now+delay,s)
  else admit(s,key) end
end
local function failed(s,attempt,delay,code,message)
  if attempt<maxA then putBack(s,attempt,delay)
  else bury(s,attempt,code~='' and code or 'attempts',code~='' and message or 'not acknowledged in '..attempt..' attempts') end
end
-- The lease of a pack has ended: what is held of it goes its own way. How many that are.
local function lapsed(first)
  local pack=lent(first)
  if not pack then return 0 end
  for k=0,pack.count-1 do if holds(pack,k) then failed(takeOut(pack,k),1,0,'','') end end
  keep(pack)
  return pack.had
end
-- Leases and lives that are over.
local function lapse()
  local letters=0
  for _,m in ipairs(call('ZRANGEBYSCORE',P..':c','-inf',now,'LIMIT','0','500')) do
    local kind,s=string.sub(m,1,1),string.sub(m,2)
    call('ZREM',P..':c',m)
    local held=kind~='p' and call('HGET',P..':t',s)
    if kind=='p' then
      letters=letters+lapsed(s)
      if letters>500 then break end
    elseif kind=='e' then
      if not held then finish(s) end
    elseif held then
      call('HDEL',P..':t',s)
      failed(s,tonumber(string.match(held,'^%d+')),0,'','')
    end
  end
end
local function advance()
  lapse()
  for _,s in ipairs(call('ZRANGEBYSCORE',P..':d','-inf',now,'LIMIT','0','500')) do
    call('ZREM',P..':d',s)
    local key=meta(s)
    -- It comes after what could be had before it was due.
    if key or call('HEXISTS',P..':n',s)==1 then admit(s,key)
    else
      freed=true
      call('RPUSH',P..':q',s)
    end
  end
end
local function due()
  local first=call('ZRANGE',P..':c','0','0','WITHSCORES')[2]
  local second=call('ZRANGE',P..':d','0','0','WITHSCORES')[2]
  first=first and tonumber(first) second=second and tonumber(second)
  if first and second then return math.min(first,second) end
  return first or second
end
local function announce()
  if call('EXISTS',P..':v')==0 then return end
  local at=due()
  if not at then return end
  local told=call('GET',P..':z')
  if told and tonumber(told)<=at then return end
  call('SET',P..':z',at,'PX',math.max(1,at-now))
  for _,client in ipairs(call('ZRANGE',P..':v',0,7)) do
    if call('PUBLISH','q:i:'..client,'d'..P..' '..(at-now))>0 then return end
  end
end
-- The oldest that can be lent, at most so many.
local function ready(most)
  if not rare or call('EXISTS',P..':w')==0 then
    if pl>ph then return packsReady(most) end
    return call('LPOP',P..':q',most) or {}
  end
  local candidates,letters={}, 0
  local next=call('LINDEX',P..':q','0')
  while letters<most do
    local first,count
    if next then first,count=packOf(next) end
    local back=call('ZRANGE',P..':w','0','0')[1]
    if back and (not next or tonumber(back)<tonumber(first or next)) then
      candidates[#candidates+1]=back
      letters=letters+1
      call('ZREM',P..':w',back)
    elseif count and letters+count>most then
      if letters>0 then break end
      cut(first,count,most)
      next=call('LINDEX',P..':q','0')
    elseif next then
      candidates[#candidates+1]=call('LPOP',P..':q')
      letters=letters+(count or 1)
      next=call('LINDEX',P..':q','0')
    else break end
  end
  return candidates
end
local function serve()
  if call('EXISTS',P..':v')==0 then return end
  clock()
  local waiting=call('ZCARD',P..':w')+call('LLEN',P..':q')+pl-ph
  if waiting>0 then wake(P,waiting) end
  announce()
end`;

/** The dead under P, the oldest first: ARGV[1] how many. */
export const listingDead: string = `
local dead=redis.call('ZRANGE',P..':dz',0,tonumber(ARGV[1])-1)
local reply={}
for i,s in ipairs(dead) do
  local kept=redis.call('HGET',P..':db',s)
  if kept then
    local d=cmsgpack.unpack(kept)
    reply[#reply+1]=s reply[#reply+1]=d[2] reply[#reply+1]=d[3] reply[#reply+1]=d[4] reply[#reply+1]=d[5]
    reply[#reply+1]=d[1]
  end
end
return reply`;
