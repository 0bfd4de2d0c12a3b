import { Library, type Script } from "./script.ts";
import { readEvents } from "./space-events.ts";
import { spaceFlow } from "./space-flow.ts";
import { spaceIndex, spaceSearch } from "./space-index.ts";

const destroyed = `redis.error_reply('QCONFLICT it was destroyed: open it again to make it anew')`;

/** Of one that is not there: -1 it never was, or was lost; a failure where it was destroyed. */
const mustBe: string = `
if not o[5] then
  if call('EXISTS',B..':gone')==1 then return ${destroyed} end
  return -1
end`;

export const spaceLibrary: Library = new Library("space", [spaceIndex, spaceSearch, spaceFlow].join("\n"));

/** What most functions of a space do first. */
export const parts: readonly string[] = ["open()", mustBe, "advance()"];

/** ARGV: the registry or "", the name, pick, capacity, whenFull, maxScan, history ("" where not given), whether anew, whether the server forgets. */
export const openSpace: Script = spaceLibrary.growing(
  "space_open",
  `
if before then return before end
local names={'pick','capacity','whenFull','maxScan','history'}
local usual={'oldest','','wait','100000','10000'}
local has=call('HMGET',B..':o','pick','c','f','m','h','epoch')
if not has[6] and ARGV[11]=='0' and call('EXISTS',B..':gone')==1 then return ${destroyed} end
if not has[6] then
  local set={}
  for i=1,5 do set[i]=ARGV[5+i]=='' and usual[i] or ARGV[5+i] end
  call('HSET',B..':o','pick',set[1],'c',set[2],'f',set[3],'m',set[4],'h',set[5],'epoch',RID..'.'..RSEQ)
  -- Who knows the numbers of one that was there before is not to take these for them: they begin at the time, in microseconds.
  if ARGV[12]=='1' or call('EXISTS',B..':gone')==1 then call('HSET',B..':o','eb',string.format('%d',T[1]*1000000+T[2])) end
  call('DEL',B..':gone')
else
  for i=1,5 do
    local given=ARGV[5+i]
    if given~='' and given~=has[i] then
      return redis.error_reply('QCONFLICT it was made with '..names[i]..' '..(has[i]=='' and 'unset' or has[i])..', not '..given..': leave it out, or destroy and make it anew')
    end
  end
end
if ARGV[4]~='' then call('SADD',ARGV[4],ARGV[5]) end
return done(1)`,
);

const full = `redis.error_reply('QFULL it is full: '..capacity..' tuples (capacity); take some first')`;

/** ARGV: tuple, lease or "", whether to wait for room, the waiter. {1, number}; {0}: it waits; {2}: no room, not to wait. */
export const outTuple: Script = spaceLibrary.growing(
  "space_out",
  `
local _,keys,parts=split(ARGV[4])
local form=formOf(keys,#parts)
open(form)`,
  mustBe,
  `
if before then return before end
advance()
local s=enter(ARGV[4],ARGV[5],keys,parts,form)
if s then return done({1,s}) end
if o[3]=='reject' then return ${full} end
if ARGV[6]=='0' then return done({2}) end
local wid=ARGV[7]
call('ZADD',B..':ow','NX',call('HINCRBY',B..':o','ws',1),wid)
call('HSET',B..':ot',wid,cmsgpack.pack({string.match(wid,'^[^.]+'),ARGV[4],ARGV[5]}))
announce()
return done({0})`,
);

/** ARGV: lease or "", tuples. */
export const outTuples: Script = spaceLibrary.growing(
  "space_out_many",
  ...parts,
  `
if before then return before end
if capacity and ARGV[4]~='0' and call('HLEN',B..':t')+#ARGV-4>capacity then return ${full} end
local texts={}
for i=5,#ARGV do texts[i-4]=ARGV[i] end
if ARGV[4]=='0' or call('EXISTS',B..':wt')==1 then
  for _,text in ipairs(texts) do enter(text,ARGV[4]) end
else enterAll(texts,ARGV[4]) end
return done(1)`,
);

/**
 * ARGV: six of each who asks: "in", "rd" or "cl", template, whether to wait, the waiter, the claim's lease, whether it asked
 * before. Of each {1, tuple, token}; {0}: it waits; {2}: nothing there; {3, form, shape}: build this index first; {4, failure};
 * {5}: ask again, since those before took long to answer.
 */
export const answerTakers: Script = spaceLibrary.writing(
  "space_take",
  `
local template=ARGV[5]
local tag,keys,holes=split(template)
local form=tag~='P' and formOf(keys,#holes)
open(form)`,
  mustBe,
  `
if before then return before end
if ARGV[3]=='1' then
  local packed=call('HGET',B..':hi',RID)
  local h=packed and cmsgpack.unpack(packed)
  if h and h[1]==RSEQ then
    local replies=h[3]
    for _,tuple in ipairs(h[2]) do replies[tuple[4]]={1,tuple[2],ARGV[tuple[4]*6+1]} end
    return replies
  end
end
advance()
local count=(#ARGV-3)/6
local replies,kept,taken,changed={}, {}, {}, false
local function got(i,s,text,ends)
  local kind,wid,lease=ARGV[i*6-2],ARGV[i*6+1],ARGV[i*6+2]
  happened('i',text)
  replies[i]={1,text,wid}
  if kind=='in' then
    kept[i]=0
    taken[#taken+1]={s,text,ends or '',i}
  else
    claim(s,text,ends,wid,lease)
    kept[i],changed=replies[i],true
  end
end
local function look(i)
  tooMany,building=nil,nil
  local s,text=pickOne(template)
  local kind,wid,lease=ARGV[i*6-2],ARGV[i*6+1],ARGV[i*6+2]
  if tooMany then return {4,notIndexed} end
  if building then return {3,building[1],building[2]} end
  if s then
    if kind=='rd' then return {1,text} end
    return got(i,s,text,remove(s,text))
  end
  if ARGV[i*6]=='0' then return {2} end
  join(wid,kind,template,lease)
  changed=true
  announce()
  return {0}
end
-- How many in a row ask for the same one, for the first time.
local function alike(i)
  local n=1
  if ARGV[i*6-2]~='in' or ARGV[i*6+3]=='1' then return n end
  while i+n<=count and ARGV[(i+n)*6-2]=='in' and ARGV[(i+n)*6-1]==template and ARGV[(i+n)*6+3]=='0' do n=n+1 end
  return n
end
local i=1
while i<=count and looked<=2000 do
  if ARGV[i*6-1]~=template then
    template=ARGV[i*6-1]
    tag,keys,holes=split(template)
    form=tag~='P' and formOf(keys,#holes)
  end
  local n=alike(i)
  -- It asked before, and may have been handed something meanwhile.
  local handed=ARGV[i*6+3]=='1' and collect(ARGV[i*6+1])
  if handed then replies[i],kept[i],changed=handed,handed,true
  else
    local first=form and ARGV[i*6-2]~='rd' and takeFirst(keys,holes,form,n) or {}
    for k,tuple in ipairs(first) do got(i+k-1,tuple[1],tuple[2],tuple[3]) end
    for k=i+#first,i+n-1 do
      local reply=look(k)
      if reply then replies[k],kept[k]=reply,reply end
    end
  end
  i=i+n
end
for k=i,count do replies[k],kept[k]={5},{5} end
if #taken>0 then
  -- Until its taker says that they have come, they can be asked for again; and they come back when the taker is gone for good.
  call('HSET',B..':hi',RID,cmsgpack.pack({RSEQ,taken,kept}))
  admit()
elseif changed then done(replies) end
return replies`,
);

/** ARGV: the waiter, "collect" or "withdraw". {1, …} it was handed something; {0} unknown or withdrawn; {2} it waits still. */
export const endWait: Script = spaceLibrary.writing(
  "space_wait",
  ...parts,
  `
if before then return before end
local wid=ARGV[4]
local handed=collect(wid)
if handed then return done(handed) end
local waiting=call('HGET',B..':wt',wid)
local queued=call('ZSCORE',B..':ow',wid)
if ARGV[5]=='collect' then return {(waiting or queued) and 2 or 0} end
if waiting then leave(wid,cmsgpack.unpack(waiting)) end
if queued then call('ZREM',B..':ow',wid) call('HDEL',B..':ot',wid) end
return done({0})`,
);

/** A tuple that was taken, or claimed, and that nobody has got: ARGV: tuple, the waiter, whether it was claimed. */
export const returnTuple: Script = spaceLibrary.writing(
  "space_return",
  ...parts,
  `
if before then return before end
local s,text,ends=endClaim(ARGV[5])
if not text then
  -- The lease of the claim has ended: then it is back already.
  if ARGV[6]=='1' then return done(0) end
  s,text=nextNumber(),ARGV[4]
end
restore(s,text,ends)
return done(1)`,
);

/** ARGV: template, how many. {1, tuples…}, or {3, form, shape}. */
export const takeTuples: Script = spaceLibrary.writing(
  "space_take_many",
  ...parts,
  `
if before then return before end
local most=tonumber(ARGV[5])
local places,fits=ask(ARGV[4])
if building then return {3,building[1],building[2]} end
local found={}
for _,place in ipairs(places) do
  local left=most
  if pick=='random' and #places==1 then
    local all={}
    visit(place,fits,false,function(s,text) all[#all+1]={s,text} end)
    for i=1,math.min(most,#all) do
      local at=i+(tonumber(T[2])*7919*i)%(#all-i+1)
      all[i],all[at]=all[at],all[i]
      found[i]=all[i]
    end
  else
    visit(place,fits,pick=='newest',function(s,text) found[#found+1]={s,text} left=left-1 return left<=0 end)
  end
end
if tooMany then return scanned() end
if #places>1 then
  table.sort(found,function(a,b)
    if pick=='newest' then return tonumber(a[1])>tonumber(b[1]) end
    return tonumber(a[1])<tonumber(b[1])
  end)
end
local reply={1}
for i=1,math.min(most,#found) do
  remove(found[i][1],found[i][2])
  happened('i',found[i][2])
  reply[i+1]=found[i][2]
end
admit()
return done(reply)`,
);

/** ARGV: template, whether to count only. {1, tuples…} or {1, number}, or {3, form, shape}. */
export const readTuples: Script = spaceLibrary.repeatable(
  "space_read_all",
  ...parts,
  `
local places,fits=ask(ARGV[1])
if building then return {3,building[1],building[2]} end
local found={}
local count=0
local counts=ARGV[2]=='1'
for _,place in ipairs(places) do
  if counts and place[2] and not lagging then count=count+call('ZCARD',place[1])
  else
    visit(place,fits,false,function(s,text)
      count=count+1
      if not counts then found[#found+1]={tonumber(s),text} end
    end)
  end
end
if tooMany then return scanned() end
if counts then return {1,count} end
if #places>1 then table.sort(found,function(a,b) return a[1]<b[1] end) end
local reply={1}
for i,each in ipairs(found) do reply[i+1]=each[2] end
return reply`,
);

/** See `readEvents`. */
export const watchSpace: Script = spaceLibrary.repeatable("space_watch", ...parts, readEvents);

/** ARGV: form, shape, from which number on, or "". The number to go on with; "" once it is ready. */
export const buildIndex: Script = spaceLibrary.repeatable(
  "space_index",
  "open()",
  mustBe,
  `
local form,mask,from=ARGV[1],ARGV[2],ARGV[3]
local shapes=shapesOf(form)
if has(shapes,mask)~='building' then return '' end
local next=build(form,mask,from=='' and '-inf' or from)
if next then return next end
local kept={}
for each in string.gmatch(shapes,'[^;]+') do kept[#kept+1]=each=='~'..mask and mask or each end
call('HSET',B..':o','s'..form,table.concat(kept,';'))
return ''`,
);
