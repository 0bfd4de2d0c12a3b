import { waking } from "./waiters.ts";

/** Events are held for those who follow, whatever `history` says: so many; and about so many bytes of large tuples. */
const slack = 1_024;
const heldBytes = 16 * 1024 * 1024;
/** Of tuples no larger than this, as many are held as are asked for. */
const smallBytes = 2_048;

/**
 * What has happened in a space under B:
 *   B:e   a stream of kind ("o", "i", "x", "r": out, in, expire, return) and tuple: the id is where the numbers begin (`eb` of
 *         the space, mostly 0) and how many events there were
 *   B:e:v clients that wait for more
 */
export const spaceEvents: string = `${waking}
local era,kept,history,toldOf
local function openEvents(begins,most)
  era,history,toldOf=begins or '0',tonumber(most or '')or 0,false
  kept=history>${slack} and history or ${slack}
end
local function happened(kind,text)
  local most,how=kept,'~'
  if #text>${smallBytes} then
    local fit=math.max(1,math.floor(${heldBytes}/#text))
    if fit<most then most,how=fit,'=' end
  end
  call('XADD',B..':e','MAXLEN',how,most,era..'-*',kind,text)
  if toldOf then return end
  toldOf=true
  if call('EXISTS',B..':e:v')==1 then wake(B..':e',math.huge) end
end`;

/**
 * ARGV: after which event or "" (only where the space stands), template, how many, client or "" (not to wait, and to be held to
 * `history`), where it began to look. {1, last, number, kind, tuple, …}; {0, ms or -1, last}: it waits; {2, last}: nothing yet,
 * ask on.
 */
export const readEvents: string = `
local held=call('XRANGE',B..':e','-','+','COUNT',1)[1]
local newest=held and call('XREVRANGE',B..':e','+','-','COUNT',1)[1]
local base=tonumber(era)
-- The first of a stream is 0-1, or, where the numbers begin at a time, that and 0.
local begins=base==0 and 0 or base-1
local function numberIn(entry) return base+tonumber(match(entry[1],'%-(%d+)$')) end
local last=newest and numberIn(newest) or begins
if ARGV[1]=='' then return {1,last} end
local from=tonumber(ARGV[1])
if from==0 then from=begins end
local oldest=held and numberIn(held)-1 or last
if ARGV[4]=='' then oldest=math.max(oldest,last-history) end
if from>last or from<begins then
  return redis.error_reply('QGAP event '..string.format('%d',from)..' is of a space that is no more; read the space (rdAll), and watch it anew without from')
end
if from<oldest then
  return redis.error_reply('QGAP it no longer holds what came after event '..string.format('%d',from)..': only what came after '..string.format('%d',oldest)..'; read the space (rdAll), and watch it anew without from')
end
local tag,keys,holes=split(ARGV[2])
local most,looked,size=tonumber(ARGV[3]),0,0
local reply={1,from}
while (#reply-2)/3<most and looked<2000 and size<262144 and from<last do
  for _,entry in ipairs(call('XRANGE',B..':e',era..string.format('-%d',from+1-base),'+','COUNT',200)) do
    local kind,text=entry[2][1],entry[2][2]
    from=numberIn(entry)
    looked=looked+1
    local _,fieldKeys,fields=split(text)
    if matchesParts(tag,keys,holes,fieldKeys,fields) then
      reply[#reply+1]=from reply[#reply+1]=kind reply[#reply+1]=text
      size=size+#text
      if (#reply-2)/3>=most or size>=262144 then break end
    end
  end
end
reply[2]=from
if #reply>2 or ARGV[4]=='' or from-tonumber(ARGV[5])>=512 then return reply end
if from<last then return {2,from} end
call('ZADD',B..':e:v','NX',now,ARGV[4])
local due=call('ZRANGE',B..':c',0,0,'WITHSCORES')[2]
return {0,due and math.max(0,tonumber(due)-now) or -1,from}`;
