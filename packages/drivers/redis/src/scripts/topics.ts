import { Library, type Script } from "./script.ts";

/**
 * Groups, under B: their members, each "client.number".
 *   B:gm  member -> pattern NUL group      B:gs:pattern  group -> members      B:gw  patterns with wildcards
 *   B:gr  whose turn it is                 B:gn  how many messages a member was sent
 */
const groups: string = `
local function leave(pattern,group,member)
  local key=B..':gs:'..pattern
  local kept={}
  for each in string.gmatch(call('HGET',key,group) or '','%S+') do if each~=member then kept[#kept+1]=each end end
  if #kept>0 then call('HSET',key,group,table.concat(kept,' '))
  else
    call('HDEL',key,group)
    call('HDEL',B..':gr',pattern..'\\0'..group)
    if call('EXISTS',key)==0 then call('SREM',B..':gw',pattern) end
  end
  call('HDEL',B..':gm',member)
  call('HDEL',B..':gn',member)
end
local function share(pattern,group,members,subject,payload,count,but)
  local list={}
  for each in string.gmatch(members,'%S+') do if each~=but then list[#list+1]=each end end
  while #list>0 do
    local at=call('HINCRBY',B..':gr',pattern..'\\0'..group,1)%#list+1
    local member=list[at]
    local sent=call('HINCRBY',B..':gn',member,count)
    local client,number=string.match(member,'^([^.]+)%.(%d+)$')
    local word='g'..number..' '..sent..' '..(but or '-')..' '..subject..'\\n'..payload
    if call('PUBLISH','q:i:'..client,word)>0 then return true end
    -- Its connection is gone.
    table.remove(list,at)
    leave(pattern,group,member)
  end
  return false
end`;

export const topicLibrary: Library = new Library("topics", groups);

/**
 * ARGV: publisher, number of the batch, then of each packet: subject, how many messages, what is sent. Of each packet: how many
 * groups had a share; -1 where the user may not publish there.
 */
export const publishPackets: Script = topicLibrary.repeatable(
  "publish",
  `
local outcomes={}
local grouped=call('EXISTS',B..':gm')==1
if not grouped then
  for at=3,#ARGV,3 do
    local sent=redis.pcall('PUBLISH','q:t:'..ARGV[at],ARGV[at+2])
    outcomes[#outcomes+1]=type(sent)=='table' and -1 or 0
  end
  return outcomes
end`,
  `
local sentBefore=tonumber(call('GET',B..':pb:'..ARGV[1]) or '0')>=tonumber(ARGV[2])
local function matches(pattern,subject)
  local lua='^'..string.gsub(string.gsub(string.gsub(pattern,'[%^%$%(%)%%%.%[%]%+%-%?]','%%%0'),'%*','[^.]+'),'>$','.+')..'$'
  return string.find(subject,lua)~=nil
end
local wild=call('SMEMBERS',B..':gw')
local shared=false
for at=3,#ARGV,3 do
  local subject,count,payload=ARGV[at],tonumber(ARGV[at+1]),ARGV[at+2]
  local sent=redis.pcall('PUBLISH','q:t:'..subject,payload)
  local outcome=0
  if type(sent)=='table' then outcome=-1
  else
    local function all(pattern)
      local list=call('HGETALL',B..':gs:'..pattern)
      for i=1,#list,2 do
        outcome=outcome+1
        if not sentBefore then share(pattern,list[i],list[i+1],subject,payload,count) shared=true end
      end
    end
    all(subject)
    for _,pattern in ipairs(wild) do if matches(pattern,subject) then all(pattern) end end
  end
  outcomes[#outcomes+1]=outcome
end
if shared then call('SET',B..':pb:'..ARGV[1],ARGV[2],'PX',120000) end
return outcomes`,
);

/** ARGV: pattern, group, member, whether it has wildcards. How many messages it was sent before. */
export const joinGroup: Script = topicLibrary.repeatable(
  "group_join",
  `
local pattern,group,member=ARGV[1],ARGV[2],ARGV[3]
local key=B..':gs:'..pattern
local members=call('HGET',key,group) or ''
if not string.find(' '..members..' ',' '..member..' ',1,true) then
  call('HSET',key,group,members=='' and member or members..' '..member)
end
if ARGV[4]=='1' then call('SADD',B..':gw',pattern) end
call('HSET',B..':gm',member,pattern..'\\0'..group)
return tonumber(call('HGET',B..':gn',member) or '0')`,
);

/** ARGV: pattern, group, member. */
export const leaveGroup: Script = topicLibrary.repeatable("group_leave", "leave(ARGV[1],ARGV[2],ARGV[3]) return 1");

/** A member without room passes a packet on. ARGV: pattern, group, member, subject, count, packet. 0 where there is no other. */
export const passOn: Script = topicLibrary.repeatable(
  "group_pass",
  `
local members=call('HGET',B..':gs:'..ARGV[1],ARGV[2]) or ''
return share(ARGV[1],ARGV[2],members,ARGV[4],ARGV[6],tonumber(ARGV[5]),ARGV[3]) and 1 or 0`,
);

/** Whether the server answers. */
export const ping: Script = topicLibrary.repeatable("ping", "return 1");
