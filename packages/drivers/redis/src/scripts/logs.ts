import { ledger } from "./ledger.ts";
import { Library, type Script } from "./script.ts";

/**
 * A log under B:
 *   B:o   its first and last sequence, bytes, limits     B:e   the entries, a stream with the ids SEQUENCE-0
 *   B:ls  subject -> its last sequence                   B:i:… ids of the last two minutes -> sequence
 *   B:ds  its durables, each under B:d:NAME              B:dv  durables that somebody waits for
 *   B:f:v clients that wait for what comes
 */
const opening: string = `
local o,first,last,bytes,maxAge,maxBytes,maxCount
local function open()
  o=call('HMGET',B..':o','f','l','by','ma','mb','mm','epoch')
  first,last,bytes=tonumber(o[1] or 1),tonumber(o[2] or 0),tonumber(o[3] or 0)
  maxAge,maxBytes,maxCount=tonumber(o[4] or ''),tonumber(o[5] or ''),tonumber(o[6] or '')
end`;
/** What every function of a log does first. */
export const log: string = "open()";

const destroyed = `redis.error_reply('QCONFLICT it was destroyed: open it again to make it anew')`;

/** Of one that is not there: -1 it never was, or was lost; a failure where it was destroyed. */
export const mustBe: string = `
if not o[7] then
  if call('EXISTS',B..':gone')==1 then return ${destroyed} end
  return -1
end`;

/** Lets go of what the limits do not keep; at most so much at once. */
const trimming: string = `
local function trim()
  local from,dropped=first,0
  while first<=last and dropped<5000 do
    local list=call('XRANGE',B..':e',first..'-0','+','COUNT',64)
    if #list==0 then first=last+1 break end
    local done=false
    for _,entry in ipairs(list) do
      local old=maxAge and tonumber(entry[2][2])<=now-maxAge
      if not (old or (maxCount and last-first+1>maxCount) or (maxBytes and bytes>maxBytes)) then done=true break end
      local s=string.match(entry[1],'^%d+')
      bytes=bytes-#entry[2][4]-#entry[2][6]
      if call('HGET',B..':ls',entry[2][4])==s then call('HDEL',B..':ls',entry[2][4]) end
      first=tonumber(s)+1
      dropped=dropped+1
    end
    if done then break end
  end
  if first~=from then
    call('XTRIM',B..':e','MINID',first..'-0')
    call('HSET',B..':o','f',first,'by',bytes)
  end
end`;

/** Whether a subject is wanted: tokens, * and > as everywhere. */
const filtering: string = `
local function filter(pattern)
  if pattern=='' or pattern=='>' then return function() return true end end
  local lua='^'..string.gsub(string.gsub(string.gsub(pattern,'[%^%$%(%)%%%.%[%]%+%-%?]','%%%0'),'%*','[^.]+'),'>$','.+')..'$'
  return function(subject) return string.find(subject,lua)~=nil end
end`;

/** The sequence that a kind of start ("first", "new", "seq", "time") means; an error where it is no longer held. */
const starting: string = `
local function start(kind,value)
  if kind=='first' then return first end
  if kind=='new' then return last+1 end
  if kind=='seq' then
    local seq=tonumber(value)
    if seq<1 or seq>=first then return math.max(seq,first) end
    return nil,redis.error_reply('QGAP it no longer holds '..value..': its first entry is '..first..'; read from "first" to go on')
  end
  local low,high,time=first,last+1,tonumber(value)
  while low<high do
    local middle=math.floor((low+high)/2)
    local entry=call('XRANGE',B..':e',middle..'-0','+','COUNT',1)[1]
    if entry and tonumber(entry[2][2])<time then low=middle+1 else high=middle end
  end
  return low
end`;

/** A durable of that name: P is where it is kept. */
const openingDurable: string = `
local name,terms
local function openDurable(called)
  name,L,P,hasMeta=called,B,B..':d:'..called,false
  terms=call('HMGET',P..':o','n','l','a','fi')
  maxA,leaseMs=tonumber(terms[3] or 5),tonumber(terms[2] or 30000)
end`;

export const logLibrary: Library = new Library(
  "log",
  [ledger, opening, openingDurable, trimming, filtering, starting].join("\n"),
);

/** ARGV: registry or "", name, maxAge, maxBytes, maxMessages ("" where not given), whether anew. */
export const openLog: Script = logLibrary.growing(
  "log_open",
  log,
  `
if before then return before end
if not o[7] and ARGV[9]=='0' and call('EXISTS',B..':gone')==1 then return ${destroyed} end
if not o[7] then
  call('HSET',B..':o','f',1,'l',0,'by',0,'ma',ARGV[6],'mb',ARGV[7],'mm',ARGV[8],'epoch',RID..'.'..RSEQ)
  call('DEL',B..':gone')
else
  for i,name in ipairs({'maxAgeMs','maxBytes','maxMessages'}) do
    local has,given=o[3+i],ARGV[5+i]
    if given~='' and given~=has then
      return redis.error_reply('QCONFLICT it was made with '..name..' '..(has=='' and 'unset' or has)..', not '..given..': leave it out, or destroy and make it anew')
    end
  end
end
if ARGV[4]~='' then call('SADD',ARGV[4],ARGV[5]) end
return done(1)`,
);

/** ARGV: subject, what is stored, id or "", expected sequence or "". {sequence, whether it was there}. */
export const appendEntry: Script = logLibrary.growing(
  "log_append",
  log,
  mustBe,
  `
if before then return before end
local subject,text,id,expected=ARGV[4],ARGV[5],ARGV[6],ARGV[7]
local known=id~='' and B..':i:'..o[7]..':'..id
if known then
  local seq=call('GET',known)
  if seq then return done({tonumber(seq),1}) end
end
if maxAge then trim() end
if expected~='' then
  local is=call('HGET',B..':ls',subject) or '0'
  if is~=expected then
    return redis.error_reply('QCONFLICT the last entry of '..subject..' is '..is..', not '..expected..': read it, decide again, and append with expectLast '..is)
  end
end
local size=#subject+#text
if maxBytes and size>maxBytes then
  return redis.error_reply('QLARGE an entry of '..size..' bytes does not fit: maxBytes is '..o[5])
end
last=last+1
bytes=bytes+size
local seq=string.format('%d',last)
call('XADD',B..':e',seq..'-0','t',now,'s',subject,'b',text)
call('HSET',B..':ls',subject,seq)
call('HSET',B..':o','l',seq,'by',bytes)
if known then call('SET',known,seq,'PX',120000) end
if (maxCount and last-first+1>maxCount) or (maxBytes and bytes>maxBytes) then trim() end
if call('EXISTS',B..':f:v')==1 then wake(B..':f',math.huge) end
if call('EXISTS',B..':dv')==1 then
  for _,name in ipairs(call('SMEMBERS',B..':dv')) do
    wake(B..':d:'..name,1)
    if call('EXISTS',B..':d:'..name..':v')==0 then call('SREM',B..':dv',name) end
  end
end
return done({last,0})`,
);

/**
 * ARGV: kind of start, its value, filter, how many, client or "" (not to wait). {1, next, sequence, time, subject, text, …};
 * {0, -1, next}: it waits; {2, next}: nothing yet, ask on.
 */
export const readEntries: Script = logLibrary.repeatable(
  "log_read",
  log,
  mustBe,
  `
if maxAge then trim() end
local from,gap=start(ARGV[1],ARGV[2])
if gap then return gap end
local wants=filter(ARGV[3])
local most=tonumber(ARGV[4])
local reply,looked,size={1,from}, 0, 0
while (#reply-2)/4<most and looked<2000 and size<4194304 and from<=last do
  local list=call('XRANGE',B..':e',string.format('%d',from)..'-0','+','COUNT',math.min(200,most))
  if #list==0 then from=last+1 break end
  for _,entry in ipairs(list) do
    local s=string.match(entry[1],'^%d+')
    local fields=entry[2]
    looked=looked+1
    from=tonumber(s)+1
    if wants(fields[4]) then
      reply[#reply+1]=s reply[#reply+1]=fields[2] reply[#reply+1]=fields[4] reply[#reply+1]=fields[6]
      size=size+#fields[6]
      if (#reply-2)/4>=most or size>=4194304 then break end
    end
  end
end
reply[2]=from
if #reply>2 then return reply end
if from<=last then return {2,from} end
if ARGV[5]=='' then return reply end
call('ZADD',B..':f:v','NX',now,ARGV[5])
return {0,-1,from}`,
);

/** ARGV: subject. {sequence, time, text}, or nothing. */
export const lastEntry: Script = logLibrary.repeatable(
  "log_last",
  log,
  `
if not o[7] then return {} end
if maxAge then trim() end
local seq=call('HGET',B..':ls',ARGV[1])
local entry=seq and call('XRANGE',B..':e',seq..'-0',seq..'-0')[1]
return entry and {seq,entry[2][2],entry[2][6]} or {}`,
);

export const lookAtLog: Script = logLibrary.repeatable(
  "log_info",
  log,
  `
if maxAge then trim() end
return {first,last,last-first+1,bytes}`,
);

/** ARGV: registry or "", name. */
export const destroyLog: Script = logLibrary.writing(
  "log_destroy",
  `
if before then return before end
local function unlink(P,...) for _,part in ipairs({...}) do call('UNLINK',P..part) end end
for _,name in ipairs(call('SMEMBERS',B..':ds')) do
  local P=B..':d:'..name
  unlink(P,':o',':b',':w',':t',':n',':c',':d',':dz',':db',':z')
  wake(P,math.huge)
end
unlink(B,':o',':e',':ls',':ds',':dv')
call('SET',B..':gone',1,'PX',86400000)
if ARGV[4]~='' then call('SREM',ARGV[4],ARGV[5]) end
wake(B..':f',math.huge)
return done(1)`,
);
