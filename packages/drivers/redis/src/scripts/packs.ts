/**
 * Packs, of mailboxes: letters that were sent together, and have no key, delay, life or remembered id, are kept, lent and
 * settled together, until one of them goes its own way and becomes a letter by itself.
 *   P:p  number of the first -> where each letter ends (four bytes each, from the start), then the letters
 *   P:q  has "first+count" for one that was never lent
 *   P:g  those that are lent, each for the first time: first -> "count token", then "0110…" where only some are held still
 *   P:c  "p" and first: the end of its lease
 *   P:o  pl: letters in packs, ph: those of them that are lent
 */
export const packs: string = `
local pl,ph=0,0
local function counted(all,held)
  if all~=0 then pl=pl+all call('HINCRBY',P..':o','pl',all) end
  if held~=0 then ph=ph+held call('HINCRBY',P..':o','ph',held) end
end
local function packOf(ref)
  local at=find(ref,'+',1,true)
  if at then return sub(ref,1,at-1),tonumber(sub(ref,at+1)) end
end
-- Letters of a pack are counted from 0.
local function startOf(blob,count,k)
  if k==0 then return count*4 end
  return (struct.unpack('>I4',blob,k*4-3))
end
local function letterOf(blob,count,k) return sub(blob,startOf(blob,count,k)+1,startOf(blob,count,k+1)) end
local function slice(blob,count,from,n)
  local start=startOf(blob,count,from)
  local ends={}
  for k=1,n do ends[k]=struct.pack('>I4',startOf(blob,count,from+k)-start+n*4) end
  return table.concat(ends)..sub(blob,start+1,startOf(blob,count,from+n))
end
-- The first in line is more than is wanted: parts of that size come in its place.
local function cut(first,count,size)
  local blob=call('HGET',P..':p',first)
  call('LPOP',P..':q')
  -- Lost: who lets the server drop keys cannot do better.
  if not blob then return counted(-count,0) end
  local parts,refs={}, {}
  local left=math.ceil(count/size)
  for from=0,count-1,size do
    local n=math.min(size,count-from)
    local number=string.format('%d',first+from)
    parts[#parts+1]=number parts[#parts+1]=slice(blob,count,from,n)
    refs[left]=number..'+'..n
    left=left-1
  end
  many('HSET',P..':p',parts)
  many('LPUSH',P..':q',refs)
end
local function lent(first)
  local value=call('HGET',P..':g',first)
  if not value then return end
  local count,token,bits=string.match(value,'^(%d+) (%S+) ?(%d*)$')
  local pack={first=first,count=tonumber(count),token=token}
  pack.left=pack.count
  if bits~='' then
    pack.held,pack.left={}, 0
    for k=0,pack.count-1 do if byte(bits,k+1)==49 then pack.held[k]=true pack.left=pack.left+1 end end
  end
  pack.had=pack.left
  return pack
end
local function holds(pack,k)
  if not pack.held then return k<pack.count end
  return pack.held[k]
end
local function letGo(pack,k)
  if not pack.held then
    pack.held={}
    for each=0,pack.count-1 do pack.held[each]=true end
  end
  pack.held[k]=nil
  pack.left=pack.left-1
end
-- Becomes a letter by itself: its number.
local function takeOut(pack,k)
  pack.blob=pack.blob or call('HGET',P..':p',pack.first)
  local s=string.format('%d',pack.first+k)
  if pack.blob then call('HSET',P..':b',s,letterOf(pack.blob,pack.count,k)) end
  letGo(pack,k)
  return s
end
-- Writes what is left of it.
local function keep(pack)
  local gone=pack.had-pack.left
  if gone==0 then return end
  if pack.left==0 then
    call('HDEL',P..':g',pack.first) call('HDEL',P..':p',pack.first) call('ZREM',P..':c','p'..pack.first)
  else
    local bits={}
    for k=0,pack.count-1 do bits[k+1]=pack.held[k] and '1' or '0' end
    call('HSET',P..':g',pack.first,pack.count..' '..pack.token..' '..table.concat(bits))
  end
  counted(-gone,-gone)
end
-- Some in line, at most so many letters.
local function packsReady(most)
  local refs,letters={}, 0
  for _,ref in ipairs(call('LRANGE',P..':q',0,7)) do
    local first,count=packOf(ref)
    count=count or 1
    if letters+count>most then
      if letters>0 then break end
      cut(first,count,most)
      return call('LPOP',P..':q',1) or {}
    end
    refs[#refs+1]=ref
    letters=letters+count
  end
  if #refs>0 then call('LPOP',P..':q',#refs) end
  return refs
end`;

/** Settles some of a pack: ARGV[at+1] kind, "first+from-to", token, and what the kind has. 1, 0, or of each letter "1" or "0". */
export const settlingPacks: string = `
local opened={}
local function settlePack(at)
  local kind,token=ARGV[at+1],ARGV[at+3]
  local first,from,to=string.match(ARGV[at+2],'^(%d+)%+(%d+)%-(%d+)$')
  from,to=tonumber(from),tonumber(to)
  if opened[first]==nil then opened[first]=lent(first) or false end
  local pack=opened[first]
  if pack and pack.token~=token then pack=false end
  if pack and kind=='ack' and not pack.held and from==0 and to==pack.count-1 then
    pack.left,pack.held=0,{}
    return 1
  end
  local extends=kind=='extend' and string.format('%d',now+tonumber(ARGV[at+4]))
  local whole=false
  if extends and pack then
    local within=0
    for k=from,to do if holds(pack,k) then within=within+1 end end
    whole=within==pack.left
    if whole and within>0 then call('ZADD',P..':c',extends,'p'..first) end
    freed=true
  end
  local outcomes,all={}, 0
  for k=from,to do
    local settled=1
    if not (pack and holds(pack,k)) then
      -- It went its own way before, or is another's by now.
      settled=settleOne(at,string.format('%d',first+k))
    elseif kind=='ack' then letGo(pack,k)
    elseif not extends then ended(at,takeOut(pack,k),1)
    elseif not whole then
      local s=takeOut(pack,k)
      call('HSET',P..':t',s,'1 '..token)
      call('ZADD',P..':c',extends,'h'..s)
    end
    all=all+settled
    outcomes[#outcomes+1]=settled
  end
  return all==0 and 0 or (all==#outcomes and 1 or table.concat(outcomes))
end`;
