import { settlingPacks } from "./packs.ts";

/** Lends what is ready: ARGV[4] how many, [5] the lease or "", [6] whether to wait. `fresh(n)` gives numbers not lent yet. */
export const lending: string = `
local most,lease=tonumber(ARGV[4]),tonumber(ARGV[5]) or leaseMs
local nonce=RID..'.'..RSEQ
local function letters(seqs,attempts)
  local reply={1}
  for i,s in ipairs(seqs) do
    local first=packOf(s)
    local text
    if first then text=call('HGET',P..':p',first) else text=body(s) end
    if text then reply[#reply+1]=s reply[#reply+1]=attempts[i] reply[#reply+1]=text end
  end
  return reply
end
if before then
  if before[1]==0 then return before end
  return letters(before[2],before[3])
end
advance()
rare=call('EXISTS',P..':w',P..':n',P..':x')>0
local seqs,attempts,reply,bytes,count,lentTogether={}, {}, {1}, 0, 0, 0
local held,together,clock={}, {}, {}
-- Written once: numbers are slow to become texts.
local ends,first=string.format('%d',now+lease),'1 '..nonce
local function give(s,attempt,text)
  bytes=bytes+#text
  local at=#seqs+1
  seqs[at]=s attempts[at]=attempt
  reply[at*3-1]=s reply[at*3]=attempt reply[at*3+1]=text
end
local function hold(s,attempt)
  held[#held+1]=s held[#held+1]=attempt==1 and first or attempt..' '..nonce
  clock[#clock+1]=ends clock[#clock+1]='h'..s
end
local function lendPack(s,number,n)
  local blob=call('HGET',P..':p',number)
  if not blob then return counted(-n,0) end
  give(s,1,blob)
  count,lentTogether=count+n,lentTogether+n
  together[#together+1]=number together[#together+1]=n..' '..nonce
  clock[#clock+1]=ends clock[#clock+1]='p'..number
end
local function lend(candidates)
  local singles={}
  for _,s in ipairs(candidates) do if not packOf(s) then singles[#singles+1]=s end end
  local texts=#singles>0 and call('HMGET',P..':b',unpack(singles)) or {}
  local tries=#singles>0 and rare and call('HMGET',P..':n',unpack(singles)) or {}
  local i=0
  for _,s in ipairs(candidates) do
    local number,n=packOf(s)
    if number then lendPack(s,number,n)
    else
      i=i+1
      local key,ends
      if hasMeta then key,ends=meta(s) end
      local text=texts[i] or (L and body(s))
      if not text or (ends and ends<=now) then finish(s)
      elseif bytes>8388608 then call('ZADD',P..':w',s,s)
      else
        count=count+1
        local attempt=tries[i] and tonumber(tries[i])+1 or 1
        give(s,attempt,text)
        hold(s,attempt)
      end
    end
  end
end
hasMeta=rare and not L and call('EXISTS',P..':x')==1
while count<most and bytes<=8388608 do
  local candidates=ready(math.min(most-count,1000))
  if #candidates==0 then break end
  lend(candidates)
end
local more=0
if L and #seqs<most and bytes<=8388608 then
  local from=#seqs+1
  more=fresh(most-#seqs,seqs,attempts,reply)
  for i=from,#seqs do hold(seqs[i],attempts[i]) end
end
if #seqs>0 then
  if #held>0 then
    many('HSET',P..':t',held)
    if rare then many('HDEL',P..':n',seqs) end
  end
  if #together>0 then
    many('HSET',P..':g',together)
    counted(0,lentTogether)
  end
  many('ZADD',P..':c',clock)
  serve()
  return done(reply,{1,seqs,attempts})
end
if more==1 then return done({2}) end
local at=due()
if ARGV[6]=='1' then
  call('ZADD',P..':v','NX',now,string.match(RID,'^[^:]+'))
  if at then
    local told=call('GET',P..':z')
    if not told or tonumber(told)>at then call('SET',P..':z',at,'PX',math.max(1,at-now)) end
  end
end
return done({0,at and at-now or -1})`;

/** ARGV[4]…: kind, number, token, delay or lease, code, message; six of each settlement. "lapse" is the holder's own end. */
export const settling: string = `
if before then return before end
rare,freed=true,false
lapse()
local count=(#ARGV-3)/6
local seqs={}
for i=1,count do seqs[i]=ARGV[3+(i-1)*6+2] end
local held={}
for i=1,count,4000 do
  for _,value in ipairs(call('HMGET',P..':t',unpack(seqs,i,math.min(i+3999,count)))) do held[#held+1]=value end
end
local outcomes,acked,clock={}, {}, {}
local plain=L or call('EXISTS',P..':x')==0
local function ended(at,s,attempt)
  local kind=ARGV[at+1]
  if kind=='ack' then finish(s)
  elseif kind=='nak' then failed(s,attempt,tonumber(ARGV[at+4]),ARGV[at+5],ARGV[at+6])
  elseif kind=='release' then putBack(s,attempt-1,0)
  elseif kind=='reject' then bury(s,attempt,ARGV[at+5],ARGV[at+6])
  else failed(s,attempt,0,'','') end
end
local function settleOne(at,s,value)
  local kind,token=ARGV[at+1],ARGV[at+3]
  value=value or call('HGET',P..':t',s)
  local space=value and find(value,' ',1,true)
  if not value or sub(value,space+1)~=token then return 0 end
  if kind=='extend' then
    freed=true
    call('ZADD',P..':c',now+tonumber(ARGV[at+4]),'h'..s)
  elseif kind=='ack' and plain then acked[#acked+1]=s clock[#clock+1]='h'..s
  else
    call('HDEL',P..':t',s) call('ZREM',P..':c','h'..s)
    ended(at,s,tonumber(sub(value,1,space-1)))
  end
  return 1
end
${settlingPacks}
for i=1,count do
  local at=3+(i-1)*6
  if find(seqs[i],'+',1,true) then outcomes[i]=settlePack(at)
  else outcomes[i]=held[i] and settleOne(at,seqs[i],held[i]) or 0 end
end
for _,pack in pairs(opened) do if pack then keep(pack) end end
if #acked>0 then
  many('HDEL',P..':t',acked) many('ZREM',P..':c',clock) many('HDEL',P..':b',acked)
end
if freed then serve() end
return done(outcomes)`;
