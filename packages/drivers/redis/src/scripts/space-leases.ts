import type { Library, Script } from "./script.ts";
import { parts, spaceLibrary } from "./spaces.ts";

/** Does what is due. ARGV: whether to look for waiters whose client is gone as well. */
export const tickSpace: Script = spaceLibrary.repeatable(
  "space_tick",
  ...parts,
  `
announce()
if ARGV[1]~='1' then return 1 end
local gone={}
for _,key in ipairs({B..':wt',B..':ot'}) do
  local list=call('HSCAN',key,'0','COUNT',1000)[2]
  for i=1,#list,2 do
    local client=string.match(list[i],'^[^.]+')
    if gone[client]==nil then
      gone[client]=sub(client,1,1)~='C' and call('PUBSUB','NUMSUB','q:i:'..client)[2]==0
    end
    if gone[client] then
      if key==B..':wt' then leave(list[i],cmsgpack.unpack(list[i+1]))
      else call('HDEL',key,list[i]) call('ZREM',B..':ow',list[i]) end
    end
  end
end
-- What a taker that is gone for long never said to have got.
local hands=call('HGETALL',B..':hi')
for i=1,#hands,2 do
  local client=string.match(hands[i],'^[^:]+')
  if gone[client]==nil then
    gone[client]=sub(client,1,1)~='C' and call('PUBSUB','NUMSUB','q:i:'..client)[2]==0
  end
  if gone[client] then
    local since=call('HGET',B..':hg',client)
    if not since then call('HSET',B..':hg',client,now)
    elseif now-tonumber(since)>45000 then
      local h=cmsgpack.unpack(hands[i+1])
      call('HDEL',B..':hi',hands[i])
      for _,tuple in ipairs(h[2]) do restore(tuple[1],tuple[2],tuple[3]) end
    end
  else call('HDEL',B..':hg',client) end
end
if #hands==0 then call('DEL',B..':hg') end
return 1`,
);

/** What was taken has come. ARGV: of each its place and the number of the request. */
export const tuplesArrived: Script = spaceLibrary.repeatable(
  "space_arrived",
  `
for i=1,#ARGV,2 do
  local packed=call('HGET',B..':hi',ARGV[i])
  if packed and cmsgpack.unpack(packed)[1]==ARGV[i+1] then call('HDEL',B..':hi',ARGV[i]) end
end
return 1`,
);

/** ARGV: "ack", "nak" or "extend", token, lease. 1, or 0 where it was lost. */
export const settleClaim: Script = spaceLibrary.writing(
  "space_claim",
  "open()",
  `if not o[5] then return 0 end`,
  `
if before then return before end
advance()
local kind,token=ARGV[4],ARGV[5]
if kind=='extend' then
  if call('HEXISTS',B..':cl',token)==0 then return done(0) end
  call('ZADD',B..':c',now+tonumber(ARGV[6]),'k'..token)
  announce()
  return done(1)
end
local s,text,ends=endClaim(token)
if not s then return done(0) end
if kind=='ack' then call('HDEL',B..':t',s) admit()
elseif text then restore(s,text,ends) end
return done(1)`,
);

/** ARGV: number, lease. 1, or 0 where it is gone. */
export const renewTuple: Script = spaceLibrary.writing(
  "space_renew",
  "open()",
  `if not o[5] then return 0 end`,
  `
if before then return before end
advance()
local s=ARGV[4]
local text=call('HGET',B..':t',s)
if not text then return done(0) end
local _,keys,parts=split(text)
if not call('ZSCORE',B..':f:'..formOf(keys,#parts),s) then
  -- Claimed: its end is kept with the claim.
  local all=call('HGETALL',B..':cl')
  for i=1,#all,2 do
    local c=cmsgpack.unpack(all[i+1])
    if c[1]==s then call('HSET',B..':cl',all[i],cmsgpack.pack({s,string.format('%d',now+tonumber(ARGV[5]))})) end
  end
  return done(1)
end
expires(s,string.format('%d',now+tonumber(ARGV[5])))
return done(1)`,
);

/** ARGV: number. */
export const cancelTuple: Script = spaceLibrary.writing(
  "space_cancel",
  "open()",
  `if not o[5] then return 0 end`,
  `
if before then return before end
advance()
local text=call('HGET',B..':t',ARGV[4])
if text then
  local _,keys,parts=split(text)
  -- One that is claimed is out of the space already.
  if call('ZSCORE',B..':f:'..formOf(keys,#parts),ARGV[4]) then happened('x',text) end
  remove(ARGV[4],text)
  admit()
end
return done(1)`,
);

/** ARGV: the registry or "", the name. Some of it; 1 while there is more. */
export const destroySpace: Script = spaceLibrary.writing(
  "space_destroy",
  "open()",
  `
if before then return before end
local more=false
if o[5] then
  call('SET',B..':gone',1,'PX',86400000)
  if ARGV[4]~='' then call('SREM',ARGV[4],ARGV[5]) end
  for _,wid in ipairs(call('HKEYS',B..':wt')) do call('PUBLISH','q:i:'..string.match(wid,'^[^.]+'),'t'..wid) end
  for _,wid in ipairs(call('HKEYS',B..':ot')) do call('PUBLISH','q:i:'..string.match(wid,'^[^.]+'),'t'..wid) end
  wake(B..':e',math.huge)
  local keep=call('HGETALL',B..':o')
  call('RENAME',B..':o',B..':oo')
end
local all=call('HSCAN',B..':t','0','COUNT',1000)[2]
for i=1,#all,2 do
  local _,keys,parts=split(all[i+1])
  local form=formOf(keys,#parts)
  call('UNLINK',B..':f:'..form)
  local shapes=call('HGET',B..':oo','s'..form) or ''
  for mask in string.gmatch(shapes,'[%d.]+') do call('UNLINK',B..':x:'..form..':'..mask..':'..keyOf(mask,parts)) end
  call('HDEL',B..':t',all[i])
end
if call('EXISTS',B..':t')==1 then return done(1) end
local wids=call('HSCAN',B..':wt','0','COUNT',1000)[2]
for i=1,#wids,2 do
  local w=cmsgpack.unpack(wids[i+1])
  call('UNLINK',w[4]..':r',w[4]..':t')
  if w[5]~='' then call('DEL',B..':m:'..w[5]) end
  call('HDEL',B..':wt',wids[i])
end
if call('EXISTS',B..':wt')==1 then return done(1) end
call('UNLINK',B..':oo',B..':c',B..':cl',B..':hd',B..':rf',B..':ow',B..':ot',B..':z',B..':hi',B..':hg',B..':e',B..':e:v')
return done(0)`,
);

/** The library of spaces, with what leases, claims and the clock add to it. */
export const leaseLibrary: Library = spaceLibrary;
