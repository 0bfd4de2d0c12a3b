import { ledger, listingDead } from "./ledger.ts";
import { lending, settling } from "./lending.ts";
import { Library, type Script } from "./script.ts";

export const mailboxLibrary: Library = new Library(
  "mailbox",
  `${ledger}
local o
local function open()
  P,L,maxA,leaseMs,hasMeta=B,nil,5,30000,true
  o=call('HMGET',B..':o','a','l','c','epoch','pl','ph')
  pl,ph=tonumber(o[5] or '0'),tonumber(o[6] or '0')
  if o[1] then maxA,leaseMs=tonumber(o[1]),tonumber(o[2]) end
end`,
);

const queue = "open()";

/** Of one that is not there: -1 it never was, or was lost; a failure where it was destroyed. */
const mustBe: string = `
if not o[1] then
  if call('EXISTS',B..':gone')==1 then return redis.error_reply('QCONFLICT it was destroyed: open it again to make it anew') end
  return -1
end`;

/**
 * ARGV: the registry of names or "", the name, lease, attempts, capacity ("" where not given), whether to make it though
 * it was destroyed.
 */
export const openQueue: Script = mailboxLibrary.growing(
  "mailbox_open",
  queue,
  `
if before then return before end
if not o[1] and ARGV[9]=='0' and call('EXISTS',B..':gone')==1 then
  return redis.error_reply('QCONFLICT it was destroyed: open it again to make it anew')
end
if not o[1] then
  leaseMs,maxA=tonumber(ARGV[6]) or 30000,tonumber(ARGV[7]) or 5
  call('HSET',B..':o','l',leaseMs,'a',maxA,'c',ARGV[8],'epoch',RID..'.'..RSEQ,'s',0)
  call('DEL',B..':gone')
else
  local function same(name,has,given)
    if given=='' or given==has then return end
    return redis.error_reply('QCONFLICT it was made with '..name..' '..(has=='' and 'unset' or has)..', not '..given..': leave it out, or destroy and make it anew')
  end
  local wrong=same('leaseMs',o[2],ARGV[6]) or same('maxAttempts',o[1],ARGV[7]) or same('capacity',o[3],ARGV[8])
  if wrong then return wrong end
end
if ARGV[4]~='' then call('SADD',ARGV[4],ARGV[5]) end
return done(leaseMs)`,
);

/**
 * ARGV: six of each letter: whether its id is remembered, id, body, key, delay, time to live; "" where it has none. Or of letters
 * that are kept together: "p", how many, all of them (see packs.ts). Of each letter 0, 1 where it is a duplicate, 2 where there
 * is no room; of those kept together how many there was room for.
 */
export const sendLetters: Script = mailboxLibrary.growingTimeless(
  "mailbox_send",
  queue,
  mustBe,
  `
if before then return before end
local capacity=tonumber(o[3])
local count=0
for at=3,#ARGV-1,6 do count=count+(ARGV[at+1]=='p' and tonumber(ARGV[at+2]) or 1) end
local outcomes,bodies,fresh,together={}, {}, {}, {}
local function left() return capacity-(call('HLEN',P..':b')+pl-call('HLEN',P..':t')-ph) end
local room=capacity and left() or math.huge
if room<count then
  clock()
  advance()
  room=left()
end
local s=call('HINCRBY',B..':o','s',count)-count
local packed=0
for i=1,(#ARGV-3)/6 do
  local at=3+(i-1)*6
  local id,key,delay,ttl=ARGV[at+2],ARGV[at+4],ARGV[at+5],ARGV[at+6]
  local remembered=ARGV[at+1]=='1' and B..':i:'..o[4]..':'..id
  if ARGV[at+1]=='p' then
    local n,blob=tonumber(id),ARGV[at+3]
    local fit=math.min(n,room)
    outcomes[i]=fit
    if fit>0 then
      local number=string.format('%d',s+1)
      together[#together+1]=number together[#together+1]=fit<n and slice(blob,n,0,fit) or blob
      fresh[#fresh+1]=number..'+'..fit
      s,room,packed=s+fit,room-fit,packed+fit
    end
  elseif remembered and call('EXISTS',remembered)==1 then outcomes[i]=1
  elseif room<=0 then outcomes[i]=2
  else
    outcomes[i]=0
    room=room-1
    s=s+1
    if remembered then call('SET',remembered,1,'PX',120000) end
    local number=string.format('%d',s)
    bodies[#bodies+1]=number bodies[#bodies+1]=ARGV[at+3]
    if key~='' or ttl~='' or delay~='' then clock() end
    if key~='' or ttl~='' then
      local ends=ttl~='' and now+tonumber(ttl)
      call('HSET',P..':x',number,key..'\\0'..(ends and string.format('%d',ends) or ''))
      if ends then call('ZADD',P..':c',ends,'e'..number) end
    end
    if key~='' then call('ZADD',P..':l',0,lanes(key,s)) end
    if delay~='' then call('ZADD',P..':d',now+tonumber(delay),number)
    elseif key~='' then admit(number,key)
    elseif ttl~='' then admit(number,nil)
    else fresh[#fresh+1]=number end
  end
end
if packed>0 then
  many('HSET',P..':p',together)
  counted(packed,0)
end
if #bodies>0 then many('HSET',P..':b',bodies) end
if #fresh>0 then many('RPUSH',P..':q',fresh) end
serve()
return done(outcomes)`,
);

export const fetchLetters: Script = mailboxLibrary.writing(
  "mailbox_fetch",
  queue,
  mustBe,
  `local function fresh() return 0 end`,
  lending,
);

export const settleLetters: Script = mailboxLibrary.writing(
  "mailbox_settle",
  queue,
  `if not o[1] then
  local stale={}
  for i=1,(#ARGV-3)/6 do stale[i]=0 end
  return stale
end`,
  settling,
);

export const lookAtQueue: Script = mailboxLibrary.repeatable(
  "mailbox_info",
  queue,
  `if not o[1] then return {0,0,0,0} end`,
  `
advance()
serve()
local all,held,delayed=call('HLEN',P..':b')+pl,call('HLEN',P..':t')+ph,call('ZCARD',P..':d')
return {all-held-delayed,held,delayed,call('ZCARD',P..':dz')}`,
);

/** ARGV: how many. */
export const peekLetters: Script = mailboxLibrary.repeatable(
  "mailbox_peek",
  queue,
  `if not o[1] then return {} end`,
  `
advance()
local most=tonumber(ARGV[1])
local seqs,within={}, {}
local function add(list) for _,s in ipairs(list) do seqs[#seqs+1]=tonumber(s) end end
local function addPack(pack,most)
  for k=0,pack.count-1 do
    if most<=0 then return end
    if holds(pack,k) then
      most=most-1
      local n=pack.first+k
      seqs[#seqs+1]=n
      within[n]=pack
    end
  end
end
add(call('ZRANGE',P..':w',0,most-1))
local left=most
for _,ref in ipairs(call('LRANGE',P..':q',0,most-1)) do
  if left<=0 then break end
  local first,count=packOf(ref)
  if first then addPack({first=first,count=count,attempt=0},left) else seqs[#seqs+1]=tonumber(ref) end
  left=left-(count or 1)
end
add(call('HKEYS',P..':t'))
for _,first in ipairs(call('HKEYS',P..':g')) do
  local pack=lent(first)
  pack.attempt=1
  addPack(pack,most)
end
add(call('ZRANGE',P..':d',0,9999))
for _,m in ipairs(call('ZRANGE',P..':l',0,9999)) do
  seqs[#seqs+1]=tonumber(string.sub(m,string.find(m,'\\0',1,true)+1))
end
table.sort(seqs)
local reply,last,bytes={}, nil, 0
for _,n in ipairs(seqs) do
  if #reply>=most*3 or bytes>33554432 then break end
  if n~=last then
    last=n
    local s=string.format('%d',n)
    local pack=within[n]
    local text
    if pack then
      pack.blob=pack.blob or call('HGET',P..':p',pack.first)
      text=letterOf(pack.blob,pack.count,n-pack.first)
    else text=body(s) end
    if text then
      local held=not pack and call('HGET',P..':t',s)
      local attempt=pack and pack.attempt or held and string.match(held,'^%d+') or call('HGET',P..':n',s) or 0
      reply[#reply+1]=s reply[#reply+1]=tonumber(attempt) reply[#reply+1]=text
      bytes=bytes+#text
    end
  end
end
return reply`,
);

export const listDeadLetters: Script = mailboxLibrary.repeatable("mailbox_dead_letters", queue, listingDead);

/** ARGV: how many at most, then the ids; all where none is given. */
export const redriveLetters: Script = mailboxLibrary.growing(
  "mailbox_redrive",
  queue,
  `
if before then return before end
local wanted
if #ARGV>4 then wanted={} for i=5,#ARGV do wanted[ARGV[i]]=true end end
local left,redriven,at=tonumber(ARGV[4]),0,0
while redriven<left do
  local dead=call('ZRANGE',P..':dz',at,at+99)
  if #dead==0 then break end
  for _,s in ipairs(dead) do
    local kept=call('HGET',P..':db',s)
    local d=kept and cmsgpack.unpack(kept)
    local text=d and d[1]
    local id=text and string.sub(text,2,1+string.byte(text,1))
    if redriven<left and d and (not wanted or wanted[id]) then
      redriven=redriven+1
      call('ZREM',P..':dz',s) call('HDEL',P..':db',s)
      local n=string.format('%d',call('HINCRBY',B..':o','s',1))
      call('HSET',P..':b',n,text)
      if d[6]~='' then
        call('HSET',P..':x',n,d[6]..'\\0')
        call('ZADD',P..':l',0,lanes(d[6],n))
        admit(n,d[6])
      else admit(n,nil) end
    else at=at+1 end
  end
end
serve()
return done(redriven)`,
);

/** Some of what waits; how many, and whether there may be more. */
export const purgeLetters: Script = mailboxLibrary.writing(
  "mailbox_purge",
  queue,
  `if not o[1] then return {0,0} end`,
  `
if before then return before end
advance()
local purged=0
local function purge(list) for _,s in ipairs(list) do purged=purged+1 finish(s) end return #list==2000 end
local more=purge(call('ZRANGE',P..':d',0,1999))
more=purge(call('ZRANGE',P..':w',0,1999)) or more
local function purgeLine(refs)
  local singles={}
  for _,ref in ipairs(refs) do
    local first,count=packOf(ref)
    if first then
      call('HDEL',P..':p',first)
      counted(-count,0)
      purged=purged+count
    else singles[#singles+1]=ref end
  end
  purge(singles)
  return #refs==2000
end
more=purgeLine(call('LPOP',P..':q',2000) or {}) or more
for _,m in ipairs(call('ZREVRANGE',P..':l',0,1999)) do
  local s=string.format('%d',tonumber(string.sub(m,string.find(m,'\\0',1,true)+1)))
  if call('HEXISTS',P..':t',s)==0 and call('HEXISTS',P..':b',s)==1 then purged=purged+1 more=true finish(s) end
end
return done({purged,more and 1 or 0})`,
);

/** ARGV: the registry or "", the name. */
export const destroyQueue: Script = mailboxLibrary.writing(
  "mailbox_destroy",
  `
if before then return before end
call('UNLINK',B..':b',B..':w',B..':q',B..':t',B..':n',B..':c',B..':d',B..':x',B..':l',B..':dz',B..':db',B..':z',B..':p',B..':g',B..':o')
call('SET',B..':gone',1,'PX',86400000)
if ARGV[4]~='' then call('SREM',ARGV[4],ARGV[5]) end
for _,client in ipairs(call('ZRANGE',B..':v',0,-1)) do call('PUBLISH','q:i:'..client,'w'..B) end
call('DEL',B..':v')
return done(1)`,
);
