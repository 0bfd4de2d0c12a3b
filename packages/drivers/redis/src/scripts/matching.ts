/**
 * Tuples and templates in their canonical texts, with lengths in bytes: see tuple-texts.ts. `split` takes one apart, one level;
 * `matches` says whether a field, or a whole tuple, is what a hole, or a template, wants.
 */
export const matching: string = `
-- Small numbers as texts and back: Lua's own way is slow.
local digits,numbers={}, {}
for i=0,999 do
  local text=i..''
  digits[i]=text
  numbers[text]=i
end
local function length(text) return numbers[text] or tonumber(text) end
local function split(text)
  local tag=sub(text,1,1)
  local digit,at=match(text,'^(%d+):()',2)
  local keyed=tag=='o' or tag=='O' or tag=='P'
  local keys,parts=keyed and {} or nil,{}
  for i=1,length(digit) do
    if keyed then
      digit,at=match(text,'^(%d+):()',at)
      local to=at+length(digit)
      keys[i]=sub(text,at,to-1)
      at=to
    end
    digit,at=match(text,'^(%d+):()',at)
    local to=at+length(digit)
    parts[i]=sub(text,at,to-1)
    at=to
  end
  return tag,keys,parts
end
local function number(text)
  if text=='Infinity' then return math.huge elseif text=='-Infinity' then return -math.huge end
  if text=='NaN' then return 0/0 end
  return tonumber(text)
end
-- By UTF-16 code unit: characters beyond the first plane come before the last of it.
local function order(a,b)
  for i=1,math.min(#a,#b) do
    local x,y=byte(a,i),byte(b,i)
    if x~=y then
      if x>=240 and y>=238 and y<240 then return -1 elseif y>=240 and x>=238 and x<240 then return 1 end
      return x<y and -1 or 1
    end
  end
  return #a==#b and 0 or (#a<#b and -1 or 1)
end
local function orderWhole(a,b)
  local m,n=sub(a,1,1)=='-',sub(b,1,1)=='-'
  if m~=n then return m and -1 or 1 end
  local larger=#a==#b and order(a,b) or (#a<#b and -1 or 1)
  return m and -larger or larger
end
local function within(hole,field)
  local _,_,ends=split(hole)
  local tag=sub(field,1,1)
  if tag~=sub(ends[1],1,1) then return false end
  local value,low,high=sub(field,2),sub(ends[1],2),sub(ends[2],2)
  if tag=='n' then
    value=number(value)
    return value>=number(low) and value<=number(high)
  end
  local compare=tag=='i' and orderWhole or order
  return compare(value,low)>=0 and compare(value,high)<=0
end
local matches
local function matchesParts(tag,keys,holes,fieldKeys,fields)
  if tag=='P' then
    if not fieldKeys then return false end
    local at=1
    for i,key in ipairs(keys) do
      while at<=#fieldKeys and fieldKeys[at]~=key do at=at+1 end
      if at>#fieldKeys or not matches(holes[i],fields[at]) then return false end
    end
    return true
  end
  if #holes~=#fields or (keys==nil)~=(fieldKeys==nil) then return false end
  for i=1,#holes do
    if keys and keys[i]~=fieldKeys[i] then return false end
    if not matches(holes[i],fields[i]) then return false end
  end
  return true
end
matches=function(hole,field)
  local kind=sub(hole,1,1)
  if kind=='?' then return true end
  if kind=='k' then
    local wanted,is=sub(hole,2,2),sub(field,1,1)
    return is==wanted or (wanted=='t' and is=='f')
  end
  if kind=='p' then return sub(field,1,#hole)=='s'..sub(hole,2) end
  if kind=='r' then return within(hole,field) end
  if kind=='e' then
    local _,_,values=split(hole)
    for _,value in ipairs(values) do if value==field then return true end end
    return false
  end
  if kind=='A' or kind=='O' or kind=='P' then
    if sub(field,1,1)~=(kind=='A' and 'a' or 'o') then return false end
    local tag,keys,holes=split(hole)
    local _,fieldKeys,fields=split(field)
    return matchesParts(tag,keys,holes,fieldKeys,fields)
  end
  return hole==field
end
local formal={['?']=true,k=true,r=true,e=true,p=true,A=true,O=true,P=true}
local function isActual(hole) return not formal[sub(hole,1,1)] end
-- The number of fields, or the set of keys.
local function formOf(keys,count)
  if not keys then return 'a'..(digits[count] or count) end
  local all={}
  for i,key in ipairs(keys) do all[i]=#key..':'..key end
  local id='o'..table.concat(all)
  return #id>80 and 'h'..redis.sha1hex(id) or id
end
-- The fields of a mask ("1.3"), taken apart once.
local fieldsOf,masksKnown={}, 0
local function fieldsIn(mask)
  local fields=fieldsOf[mask]
  if not fields then
    if masksKnown>=1000 then fieldsOf,masksKnown={}, 0 end
    fields={}
    for field in string.gmatch(mask,'%d+') do fields[#fields+1]=tonumber(field) end
    fieldsOf[mask],masksKnown=fields,masksKnown+1
  end
  return fields
end
-- What a tuple has in the fields of a mask.
local function keyOf(mask,parts)
  local key=''
  local fields=fieldsIn(mask)
  for i=1,#fields do
    local part=parts[fields[i]]
    key=key..(digits[#part] or #part)..':'..part
  end
  return #key>80 and 'h'..redis.sha1hex(key) or key
end
local function maskOf(actuals,count)
  local fields={}
  for i=1,math.min(count,30) do if actuals[i] then fields[#fields+1]=digits[i] end end
  return table.concat(fields,'.'),#fields
end`;
