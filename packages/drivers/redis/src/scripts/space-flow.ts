/** Waiters, claims, leases, and outs that wait for room. */
export const spaceFlow: string = `
local function line(template)
  local tag,keys,holes=split(template)
  if tag=='P' then return B..':wp','','' end
  local actuals={}
  for i,hole in ipairs(holes) do if isActual(hole) then actuals[i]=hole end end
  local form=formOf(keys,#holes)
  local mask=maskOf(actuals,#holes)
  return B..':wl:'..form..':'..mask..':'..keyOf(mask,actuals),form,mask
end
local function leave(wid,w)
  call('HDEL',B..':wt',wid)
  call('ZREM',w[4]..(w[2]=='rd' and ':r' or ':t'),wid)
  if w[5]=='' then call('HINCRBY',B..':o','pw',-1)
  elseif call('HINCRBY',B..':m:'..w[5],w[6],-1)<=0 then call('HDEL',B..':m:'..w[5],w[6]) end
end
local function join(wid,kind,template,lease)
  if call('HEXISTS',B..':wt',wid)==1 then return end
  local key,form,mask=line(template)
  local order=call('HINCRBY',B..':o','ws',1)
  call('HSET',B..':wt',wid,cmsgpack.pack({string.match(wid,'^[^.]+'),kind,template,key,form,mask,lease}))
  call('ZADD',key..(kind=='rd' and ':r' or ':t'),order,wid)
  if form=='' then call('HINCRBY',B..':o','pw',1) else call('HINCRBY',B..':m:'..form,mask,1) end
end
local function tell(client,wid)
  return call('PUBLISH','q:i:'..client,'t'..wid)>0 or string.sub(client,1,1)=='C'
end
local function lines(form,keys,parts)
  local all={}
  local masks=call('HKEYS',B..':m:'..form)
  for _,mask in ipairs(masks) do all[#all+1]=B..':wl:'..form..':'..mask..':'..keyOf(mask,parts) end
  if keys and tonumber(o[7] or '0')>0 then all[#all+1]=B..':wp' end
  return all
end
local function hand(wid,w,s,text,ends)
  leave(wid,w)
  call('HSET',B..':hd',wid,cmsgpack.pack({w[2],s,text,ends or '',w[7] or ''}))
  call('ZADD',B..':c',now+30000,'g'..wid)
  if tell(w[1],wid) then return true end
  call('HDEL',B..':hd',wid)
  call('ZREM',B..':c','g'..wid)
  return false
end
local function fitting(key,text)
  local at=0
  while true do
    local wids=call('ZRANGE',key,at,at+15,'WITHSCORES')
    if #wids==0 then return end
    for i=1,#wids,2 do
      local packed=call('HGET',B..':wt',wids[i])
      if not packed then call('ZREM',key,wids[i])
      else
        local w=cmsgpack.unpack(packed)
        if matches(w[3],text) then return wids[i],w,tonumber(wids[i+1]) end
      end
    end
    at=at+16
  end
end
local function taker(all,text)
  local wid,w,first
  for _,key in ipairs(all) do
    local found,what,order=fitting(key..':t',text)
    if found and (not first or order<first) then wid,w,first=found,what,order end
  end
  return wid,w
end
local function readers(all,s,text)
  for _,key in ipairs(all) do
    for _,wid in ipairs(call('ZRANGE',key..':r',0,-1)) do
      local packed=call('HGET',B..':wt',wid)
      if not packed then call('ZREM',key..':r',wid)
      else
        local w=cmsgpack.unpack(packed)
        if matches(w[3],text) then hand(wid,w,s,text) end
      end
    end
  end
end
-- Readers get it, then the longest-waiting taker: whether one took it.
local function offer(all,s,text,ends)
  if #all==0 then return false end
  readers(all,s,text)
  while true do
    local wid,w=taker(all,text)
    if not wid then return false end
    if hand(wid,w,s,text,ends) then happened('i',text) return true end
  end
end
-- One of those who wait is told when something will come back, if that is earlier than what was told before.
local function announce()
  local at=call('ZRANGE',B..':c',0,0,'WITHSCORES')[2]
  if not at then return end
  at=tonumber(at)
  local told=call('GET',B..':z')
  if told and tonumber(told)<=at then return end
  for _=1,4 do
    local wid=call('HRANDFIELD',B..':wt') or call('HRANDFIELD',B..':ot')
    if not wid then return end
    local client=string.match(wid,'^[^.]+')
    if call('PUBLISH','q:i:'..client,'d'..B..' '..(at-now))>0 or sub(client,1,1)=='C' then
      call('SET',B..':z',at,'PX',math.max(1,at-now))
      return
    end
  end
end
local function expires(s,ends)
  if ends=='' or not ends then return end
  call('ZADD',B..':c',ends,'x'..s)
  if not leases then leases=true call('HSET',B..':o','le',1) end
  if capacity then announce() end
end
local function nextNumber() return string.format('%d',call('HINCRBY',B..':o','n','1')) end
-- Into the space, or straight to who waits; nil where it is full.
local function enter(text,lease,keys,parts,form)
  if not form then
    local _
    _,keys,parts=split(text)
    form=formOf(keys,#parts)
  end
  local all=lines(form,keys,parts)
  if capacity and lease~='0' and call('HLEN',B..':t')>=capacity and not (#all>0 and taker(all,text)) then return nil end
  local s=nextNumber()
  local ends=lease~='' and string.format('%d',now+tonumber(lease)) or ''
  happened('o',text)
  if offer(all,s,text,ends) then return s end
  if lease=='0' then happened('x',text) return s end
  call('HSET',B..':t',s,text)
  index(s,keys,parts,form)
  expires(s,ends)
  return s
end
-- Many at once, where nobody waits and there is room for all.
local function enterAll(texts,lease)
  local s=call('HINCRBY',B..':o','n',#texts)-#texts
  local ends=lease~='' and string.format('%d',now+tonumber(lease))
  local rows,forms,places={}, {}, {}
  local function put(key,number)
    local list=places[key]
    if not list then list={} places[key]=list end
    list[#list+1]=number list[#list+1]=number
  end
  for _,text in ipairs(texts) do
    s=s+1
    happened('o',text)
    local number=string.format('%d',s)
    rows[#rows+1]=number rows[#rows+1]=text
    local _,keys,parts=split(text)
    local form=formOf(keys,#parts)
    local shape=forms[form]
    if not shape then
      shape={all=B..':f:'..form,masks={},places={}}
      for mask in string.gmatch(shapesOf(form),'[%d.]+') do
        shape.masks[#shape.masks+1]=mask
        shape.places[#shape.places+1]=B..':x:'..form..':'..mask..':'
      end
      if keys then call('HSETNX',B..':rf',form,cmsgpack.pack(keys)) end
      forms[form]=shape
    end
    put(shape.all,number)
    for i,mask in ipairs(shape.masks) do put(shape.places[i]..keyOf(mask,parts),number) end
    if ends then expires(number,ends) end
  end
  many('HSET',B..':t',rows)
  for key,list in pairs(places) do many('ZADD',key,list) end
end
local function admit()
  if not capacity then return end
  while true do
    local wid=call('ZRANGE',B..':ow',0,0)[1]
    if not wid then return end
    local w=cmsgpack.unpack(call('HGET',B..':ot',wid))
    local s=enter(w[2],w[3])
    if not s then return end
    call('ZREM',B..':ow',wid) call('HDEL',B..':ot',wid)
    call('HSET',B..':hd',wid,cmsgpack.pack({'out',s,'',''}))
    call('ZADD',B..':c',now+30000,'g'..wid)
    tell(w[1],wid)
  end
end
local function remove(s,text)
  call('HDEL',B..':t',s)
  unindex(s,text)
  local ends
  if leases then
    ends=call('ZSCORE',B..':c','x'..s)
    if ends then call('ZREM',B..':c','x'..s) end
  end
  return ends
end
-- To where it was, after those who wait for it.
local function restore(s,text,ends)
  if ends and ends~='' and tonumber(ends)<=now then call('HDEL',B..':t',s) return end
  happened('r',text)
  local _,keys,parts=split(text)
  local form=formOf(keys,#parts)
  if offer(lines(form,keys,parts),s,text,ends) then call('HDEL',B..':t',s) return end
  call('HSET',B..':t',s,text)
  index(s,keys,parts,form)
  expires(s,ends)
end
-- Takes the first that an index has, at most so many, where that is ready and they are what is wanted: the usual case, in few
-- commands. Of each its number, text and end.
local function takeFirst(keys,holes,form,most)
  if pick=='random' or lagging or #holes>30 then return {} end
  local actuals,formals={}, {}
  for i,hole in ipairs(holes) do
    if isActual(hole) then actuals[i]=hole elseif hole~='?' then formals[#formals+1]=i end
  end
  local mask,fields=maskOf(actuals,#holes)
  local shapes=shapesOf(form)
  if fields>0 and has(shapes,mask)~='ready' then return {} end
  local all=B..':f:'..form
  local key=fields==0 and all or B..':x:'..form..':'..mask..':'..keyOf(mask,actuals)
  local first=call(pick=='newest' and 'ZREVRANGE' or 'ZRANGE',key,'0',digits[most-1])
  if #first==0 then return {} end
  local texts=call('HMGET',B..':t',unpack(first))
  local others={}
  for each in string.gmatch(shapes,'[%d.]+') do if each~=mask then others[#others+1]=each end end
  local seqs,removed={}, {}
  for at,s in ipairs(first) do
    local text=texts[at]
    if #formals>0 or #others>0 then
      local _,_,parts=split(text)
      local fits=true
      for _,i in ipairs(formals) do fits=fits and matches(holes[i],parts[i]) end
      if not fits then break end
      for _,each in ipairs(others) do
        local other=B..':x:'..form..':'..each..':'..keyOf(each,parts)
        local list=removed[other]
        if list then list[#list+1]=s else removed[other]={s} end
      end
    end
    seqs[at]=s
  end
  if #seqs==0 then return {} end
  call('HDEL',B..':t',unpack(seqs))
  if pick=='newest' then call('ZREMRANGEBYRANK',key,-#seqs,-1) else call('ZREMRANGEBYRANK',key,'0',digits[#seqs-1]) end
  if fields>0 then call('ZREM',all,unpack(seqs)) end
  for other,list in pairs(removed) do call('ZREM',other,unpack(list)) end
  local taken={}
  for at,s in ipairs(seqs) do
    local ends
    if leases then
      ends=call('ZSCORE',B..':c','x'..s)
      if ends then call('ZREM',B..':c','x'..s) end
    end
    taken[at]={s,texts[at],ends}
  end
  return taken
end
local function claim(s,text,ends,token,lease)
  call('HSET',B..':t',s,text)
  call('HSET',B..':cl',token,cmsgpack.pack({s,ends or ''}))
  call('ZADD',B..':c',now+tonumber(lease),'k'..token)
  announce()
end
local function endClaim(token)
  local packed=call('HGET',B..':cl',token)
  if not packed then return end
  call('HDEL',B..':cl',token) call('ZREM',B..':c','k'..token)
  local c=cmsgpack.unpack(packed)
  return c[1],call('HGET',B..':t',c[1]),c[2]
end
local function advance()
  if call('EXISTS',B..':c')==0 then return end
  local due=call('ZRANGEBYSCORE',B..':c','-inf',now,'LIMIT','0','1000')
  lagging=#due==1000
  for _,m in ipairs(due) do
    local kind,id=sub(m,1,1),sub(m,2)
    call('ZREM',B..':c',m)
    if kind=='x' then
      local text=call('HGET',B..':t',id)
      if text then call('HDEL',B..':t',id) unindex(id,text) happened('x',text) end
    elseif kind=='k' then
      local s,text,ends=endClaim(id)
      if text then restore(s,text,ends) end
    else
      local packed=call('HGET',B..':hd',id)
      call('HDEL',B..':hd',id)
      local h=packed and cmsgpack.unpack(packed)
      if h and (h[1]=='in' or h[1]=='cl') then restore(h[2],h[3],h[4]) end
    end
  end
  if #due>0 then admit() end
end
-- What was handed to a waiter: it has come for it.
local function collect(wid)
  local packed=call('HGET',B..':hd',wid)
  if not packed then return end
  call('HDEL',B..':hd',wid) call('ZREM',B..':c','g'..wid)
  local h=cmsgpack.unpack(packed)
  if h[1]=='cl' then claim(h[2],h[3],h[4],wid,h[5]) end
  return h[1]=='out' and {1,h[2]} or {1,h[3],wid}
end`;
