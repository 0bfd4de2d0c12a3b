import { matching } from "./matching.ts";
import { spaceEvents } from "./space-events.ts";

/**
 * A space under B:
 *   B:o   options, numbers; "s" and a form: its shapes, "1.3;~2": the fields by which it is indexed, ~ while that is built
 *   B:t   tuples by number, claimed ones too      B:f:form   numbers of the unclaimed ones, by age
 *   B:x:form:shape:key   the same, of those that have this in these fields        B:rf   forms of records -> their keys
 *   B:c   when: "x" and number, a tuple's end; "k" and token, a claim's; "g" and waiter, what nobody has come for
 *   B:cl  claims: token -> number, end of the tuple       B:hd  what waits to be come for, by waiter
 *   B:wt  waiters; B:wl:… their lines by form, shape and key; B:m:form shapes with waiters; B:wp:… those for partial records
 *   B:hi  what was taken and may not have come, by who asked       B:hg  takers that are gone -> since when
 *   B:ow  outs that wait for room, in order; B:ot what they are
 */
export const spaceIndex: string = `${matching}
${spaceEvents}
local o,pick,capacity,maxScan,leases,lagging,building,tooMany,looked
-- What was read of the shapes of forms.
local known
-- The options; and the shapes of a form that will be asked for.
local function open(form)
  o=call('HMGET',B..':o','pick','c','f','m','epoch','le','pw','s'..(form or ''),'eb','h')
  openEvents(o[9],o[10])
  pick,capacity,maxScan=o[1],tonumber(o[2] or ''),tonumber(o[4] or '')
  leases,lagging,building,tooMany,looked=o[6]=='1',false,nil,nil,0
  known={}
  if form then known[form]=o[8] or '' end
end
local function shapesOf(form)
  local shapes=known[form]
  if not shapes then
    shapes=call('HGET',B..':o','s'..form) or ''
    known[form]=shapes
  end
  return shapes
end
local function index(s,keys,parts,form)
  call('ZADD',B..':f:'..form,s,s)
  if keys then call('HSETNX',B..':rf',form,cmsgpack.pack(keys)) end
  for mask in string.gmatch(shapesOf(form),'[%d.]+') do
    call('ZADD',B..':x:'..form..':'..mask..':'..keyOf(mask,parts),s,s)
  end
end
local function unindex(s,text)
  local _,keys,parts=split(text)
  local form=formOf(keys,#parts)
  call('ZREM',B..':f:'..form,s)
  for mask in string.gmatch(shapesOf(form),'[%d.]+') do
    call('ZREM',B..':x:'..form..':'..mask..':'..keyOf(mask,parts),s)
  end
end`;

/** Where the matches of a template are, in a form: made ready for a new shape, at once where there are few tuples. */
export const spaceSearch: string = `
local function build(form,mask,from)
  local all=B..':f:'..form
  local seqs=call('ZRANGEBYSCORE',all,'('..from,'+inf','LIMIT',0,2000)
  if #seqs==0 then return nil end
  local texts=call('HMGET',B..':t',unpack(seqs))
  for i,text in ipairs(texts) do
    if text then
      local _,_,parts=split(text)
      call('ZADD',B..':x:'..form..':'..mask..':'..keyOf(mask,parts),seqs[i],seqs[i])
    end
  end
  return #seqs==2000 and seqs[2000] or nil
end
local function addShape(form,shapes,mask,count)
  local large=call('ZCARD',B..':f:'..form)>2000
  call('HSET',B..':o','s'..form,shapes..(shapes=='' and '' or ';')..(large and '~' or '')..mask)
  known[form]=nil
  if large then building={form,mask} else build(form,mask,'-inf') end
end
local function has(shapes,mask)
  local found=find(';'..shapes..';',';'..mask..';',1,true)
  if found then return 'ready' end
  return find(';'..shapes..';',';~'..mask..';',1,true) and 'building' or nil
end
-- The smallest index that has all matches, and whether it has nothing else.
local function place(form,actuals,count)
  local mask,fields=maskOf(actuals,count)
  local all=B..':f:'..form
  if fields==0 then return all,'' end
  local shapes=shapesOf(form)
  local state=has(shapes,mask)
  if not state then
    if call('EXISTS',all)==0 then return nil,mask end
    local composites=0
    for each in string.gmatch(shapes,'[%d.]+') do if find(each,'.',1,true) then composites=composites+1 end end
    if fields==1 or composites<8 then
      addShape(form,shapes,mask,count)
      state=building and 'building' or 'ready'
    end
  end
  if state=='ready' then return B..':x:'..form..':'..mask..':'..keyOf(mask,actuals),mask end
  if state=='building' then building={form,mask} return nil,mask end
  local best,least,by=all,math.huge,''
  for field in string.gmatch(mask,'%d+') do
    local how=has(shapes,field)
    if not how then
      addShape(form,shapes,field,count)
      if building then return nil,mask end
      shapes=shapesOf(form)
      how='ready'
    end
    if how=='building' then building={form,field} return nil,mask end
  end
  for shape in string.gmatch(shapes,'[%d.]+') do
    local within=has(shapes,shape)=='ready'
    for field in string.gmatch(shape,'%d+') do within=within and actuals[tonumber(field)]~=nil end
    if within then
      local key=B..':x:'..form..':'..shape..':'..keyOf(shape,actuals)
      local size=call('ZCARD',key)
      if size<least then best,least,by=key,size,shape end
    end
  end
  return best,by
end
local function alive(s) return not lagging or (tonumber(call('ZSCORE',B..':c','x'..s) or 'inf')>now) end
-- What a template asks: its parts, those that are actual, and where to look: {key, form, whether every one there matches}.
local function ask(template)
  local tag,keys,holes=split(template)
  local plain=true
  local function actualsOf(positions,size)
    local actuals={}
    for i,hole in ipairs(holes) do
      if isActual(hole) then actuals[positions and positions[i] or i]=hole elseif hole~='?' then plain=false end
    end
    return actuals
  end
  local places={}
  if tag~='P' then
    local form=formOf(keys,#holes)
    local actuals=actualsOf(nil)
    local key,mask=place(form,actuals,#holes)
    local exact=mask==maskOf(actuals,#holes) and #holes<=30
    if key then places[1]={key,plain and exact} end
  else
    for form,packed in pairs((function()
      local forms={}
      local list=call('HGETALL',B..':rf')
      for i=1,#list,2 do forms[list[i]]=list[i+1] end
      return forms
    end)()) do
      local has=cmsgpack.unpack(packed)
      local positions,at={}, 1
      for i,key in ipairs(keys) do
        while at<=#has and has[at]~=key do at=at+1 end
        if at>#has then positions=nil break end
        positions[i]=at
      end
      if positions then
        if call('EXISTS',B..':f:'..form)==0 then call('HDEL',B..':rf',form)
        else
          local key=place(form,actualsOf(positions),#has)
          if key then places[#places+1]={key,false} end
        end
      end
      if building then break end
    end
  end
  return places,function(text)
    local _,fieldKeys,fields=split(text)
    return matchesParts(tag,keys,holes,fieldKeys,fields)
  end
end
-- Matches in one place, in the order of picking, until the visitor says that it is enough.
local function visit(place,fits,newest,seen)
  local key,exact=place[1],place[2]
  local at,size,misses=0,1,0
  while true do
    local seqs=call(newest and 'ZREVRANGE' or 'ZRANGE',key,at,at+size-1)
    if #seqs==0 then return end
    local texts=call('HMGET',B..':t',unpack(seqs))
    looked=looked+#seqs
    for i,s in ipairs(seqs) do
      local text=texts[i]
      if text and alive(s) then
        if exact or fits(text) then
          if seen(s,text) then return end
        else
          misses=misses+1
          if misses>maxScan then tooMany=true return end
        end
      end
    end
    at=at+size
    size=math.min(size*4,1000)
  end
end
local function pickOne(template)
  local places,fits=ask(template)
  if building then return end
  local found,foundText
  if pick=='random' then
    if #places==1 and places[1][2] and not lagging then
      found=call('ZRANDMEMBER',places[1][1])
      return found,found and call('HGET',B..':t',found)
    end
    local all={}
    for _,place in ipairs(places) do visit(place,fits,false,function(s,text) all[#all+1]={s,text} end) end
    local one=all[1+tonumber(T[2])%math.max(1,#all)]
    if one then return one[1],one[2] end
    return
  end
  local newest=pick=='newest'
  for _,place in ipairs(places) do
    visit(place,fits,newest,function(s,text)
      if not found or (newest and tonumber(s)>tonumber(found)) or (not newest and tonumber(s)<tonumber(found)) then
        found,foundText=s,text
      end
      return true
    end)
  end
  return found,foundText
end
local notIndexed='QSCAN no index serves this template: it looked at more tuples that do not match than maxScan allows; give more fields a value'
local function scanned() return redis.error_reply(notIndexed) end`;
