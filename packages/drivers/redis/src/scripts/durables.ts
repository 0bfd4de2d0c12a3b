import { listingDead } from "./ledger.ts";
import { lending, settling } from "./lending.ts";
import { log, logLibrary, mustBe } from "./logs.ts";
import type { Library, Script } from "./script.ts";

/** A durable, whose name is in ARGV[at]: P is where it is kept. */
const durable = (at: number): string => `openDurable(ARGV[${at}])`;

const mustBeDurable: string = `if not terms[1] then return -2 end`;

/** ARGV: kind of start, its value, name, filter or "", lease, attempts ("" where not given). */
export const openDurable: Script = logLibrary.growing(
  "durable_open",
  log,
  mustBe,
  durable(6),
  `
if before then return before end
if not terms[1] then
  if maxAge then trim() end
  local from,gap=start(ARGV[4],ARGV[5])
  if gap then return gap end
  leaseMs=tonumber(ARGV[8]) or 30000
  call('HSET',P..':o','n',from,'l',leaseMs,'a',tonumber(ARGV[9]) or 5,'fi',ARGV[7])
  call('SADD',B..':ds',name)
else
  for i,option in ipairs({'filter','leaseMs','maxAttempts'}) do
    local has=terms[({4,2,3})[i]]
    local given=ARGV[6+i]
    if given~='' and given~=has then
      return redis.error_reply('QCONFLICT it was made with '..option..' '..(has=='' and 'unset' or has)..', not '..given..': leave it out, or take another name')
    end
  end
end
return done(leaseMs)`,
);

/** ARGV: how many, lease or "", whether to wait, name. */
export const fetchEntries: Script = logLibrary.writing(
  "durable_fetch",
  log,
  mustBe,
  durable(7),
  mustBeDurable,
  `
if maxAge then trim() end
local function fresh(n,seqs,attempts,reply)
  local from=math.max(tonumber(terms[1]),first)
  local begun,looked,size,left=from, 0, 0, n
  local wants=filter(terms[4])
  while left>0 and looked<2000 and size<8388608 and from<=last do
    local list=call('XRANGE',B..':e',string.format('%d',from)..'-0','+','COUNT',math.min(200,left))
    if #list==0 then from=last+1 break end
    for _,entry in ipairs(list) do
      local s=string.match(entry[1],'^%d+')
      local fields=entry[2]
      looked=looked+1
      from=tonumber(s)+1
      if wants(fields[4]) then
        left=left-1
        size=size+#fields[6]
        seqs[#seqs+1]=s attempts[#attempts+1]=1
        reply[#reply+1]=s reply[#reply+1]=1 reply[#reply+1]=fields[2]..'\\n'..fields[4]..'\\n'..fields[6]
        if size>=8388608 then break end
      end
    end
  end
  if from~=begun or from~=tonumber(terms[1]) then call('HSET',P..':o','n',from) end
  if from<=last and call('EXISTS',P..':v')==1 then wake(P,1) end
  return from<=last and 1 or 0
end
if ARGV[6]=='1' then call('SADD',B..':dv',name) end`,
  lending,
);

/** ARGV: six of each settlement, then the name. */
export const settleEntries: Script = logLibrary.writing(
  "durable_settle",
  `
openDurable(table.remove(ARGV))
if not terms[1] then
  local stale={}
  for i=1,(#ARGV-3)/6 do stale[i]=0 end
  return stale
end`,
  settling,
);

/** Tells the next who waits that there is something. ARGV: the name. */
export const passEntries: Script = logLibrary.repeatable(
  "durable_pass",
  log,
  durable(1),
  `
if not terms[1] then return 0 end
advance()
serve()
if tonumber(terms[1])<=last then wake(P,1) end
return 1`,
);

/** ARGV: how many, name. */
export const listDeadEntries: Script = logLibrary.repeatable(
  "durable_dead_letters",
  "P=B..':d:'..ARGV[2]",
  listingDead,
);

/** ARGV: name, the log's name, how many, then ids; all where none is given. */
export const redriveEntries: Script = logLibrary.growing(
  "durable_redrive",
  durable(4),
  `
if before then return before end
local wanted
if #ARGV>6 then wanted={} for i=7,#ARGV do wanted[ARGV[i]]=true end end
local left,redriven,at=tonumber(ARGV[6]),0,0
while redriven<left do
  local dead=call('ZRANGE',P..':dz',at,at+99)
  if #dead==0 then break end
  for _,s in ipairs(dead) do
    local kept=call('HGET',P..':db',s)
    local d=kept and cmsgpack.unpack(kept)
    local text=d and string.match(d[1],'^%d+\\n[^\\n]*\\n(.*)$')
    local id=text and string.sub(text,2,1+string.byte(text,1))
    if id=='' then id=ARGV[5]..'-'..s end
    if redriven<left and d and (not wanted or wanted[id]) then
      redriven=redriven+1
      call('ZREM',P..':dz',s) call('HDEL',P..':db',s)
      call('HSET',P..':b',s,d[1])
      call('ZADD',P..':w',s,s)
    else at=at+1 end
  end
end
serve()
return done(redriven)`,
);

/** The library of logs, with what durables add to it. */
export const durableLibrary: Library = logLibrary;
