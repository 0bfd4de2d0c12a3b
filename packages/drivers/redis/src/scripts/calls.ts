import { Library, type Script } from "./script.ts";

/**
 * Servers, under B, each "client.number":
 *   B:ca  address -> servers      B:cr  address -> whose turn it is      B:ci  server -> what it is and has done
 */
const servers: string = `
local function leave(address,server)
  local kept={}
  for each in string.gmatch(call('HGET',B..':ca',address) or '','%S+') do if each~=server then kept[#kept+1]=each end end
  if #kept>0 then call('HSET',B..':ca',address,table.concat(kept,' '))
  else call('HDEL',B..':ca',address) call('HDEL',B..':cr',address) end
  call('HDEL',B..':ci',server)
end`;

export const callLibrary: Library = new Library("calls", servers);

/**
 * ARGV: of each call: address, servers that have refused it, what is sent. Of each the server that has it now, or ""; then, one
 * after the other, the addresses and who serves each. A server whose connection is gone is struck off, and the next one gets its
 * calls.
 */
export const placeCalls: Script = callLibrary.repeatable(
  "call",
  `
local placed,turns={}, {}
local open={}
for i=1,#ARGV/3 do open[i]=i end
while #open>0 do
  local words,order={}, {}
  for _,i in ipairs(open) do
    local address,tried=ARGV[i*3-2],ARGV[i*3-1]
    local turn=turns[address]
    if not turn then
      turn={list={},at=tonumber(call('HGET',B..':cr',address) or '0')}
      for each in string.gmatch(call('HGET',B..':ca',address) or '','%S+') do turn.list[#turn.list+1]=each end
      turns[address]=turn
    end
    local server
    for _=1,#turn.list do
      turn.at=turn.at%#turn.list+1
      local each=turn.list[turn.at]
      if not string.find(' '..tried..' ',' '..each..' ',1,true) then server=each break end
    end
    placed[i]=server or ''
    if server then
      if not words[server] then words[server]={calls={},texts={}} order[#order+1]=server end
      local word=words[server]
      word.calls[#word.calls+1]=i
      local refused=struct.pack('>I2',#tried)..tried..ARGV[i*3]
      word.texts[#word.texts+1]=struct.pack('>I4',#refused)..refused
    end
  end
  open={}
  for _,server in ipairs(order) do
    local word=words[server]
    local client,number=string.match(server,'^([^.]+)%.(%d+)$')
    if call('PUBLISH','q:i:'..client,'c'..number..'\\n'..table.concat(word.texts))==0 then
      for _,i in ipairs(word.calls) do
        leave(ARGV[i*3-2],server)
        turns[ARGV[i*3-2]]=nil
        open[#open+1]=i
      end
    end
  end
end
for address,turn in pairs(turns) do
  if #turn.list>1 then call('HSET',B..':cr',address,turn.at) end
  placed[#placed+1]=address placed[#placed+1]=table.concat(turn.list,' ')
end
return placed`,
);

/**
 * A call is given up whose server its caller does not know yet: all of the address are told, before any later call. ARGV:
 * address, the word.
 */
export const cancelCall: Script = callLibrary.repeatable(
  "call_cancel",
  `
local told={}
for each in string.gmatch(call('HGET',B..':ca',ARGV[1]) or '','%S+') do
  local client=string.match(each,'^[^.]+')
  if not told[client] then
    told[client]=true
    call('PUBLISH','q:i:'..client,ARGV[2])
  end
end
return 1`,
);

/** ARGV: address, server, what it is. */
export const joinServers: Script = callLibrary.repeatable(
  "serve",
  `
local address,server=ARGV[1],ARGV[2]
local list=call('HGET',B..':ca',address) or ''
if not string.find(' '..list..' ',' '..server..' ',1,true) then
  call('HSET',B..':ca',address,list=='' and server or list..' '..server)
end
call('HSET',B..':ci',server,ARGV[3])
return 1`,
);

/** ARGV: address, server. */
export const leaveServers: Script = callLibrary.repeatable("unserve", "leave(ARGV[1],ARGV[2]) return 1");

/** ARGV: server, what it has done. */
export const countCalls: Script = callLibrary.repeatable(
  "server_counts",
  "if call('HEXISTS',B..':ci',ARGV[1])==1 then call('HSET',B..':ci',ARGV[1],ARGV[2]) end return 1",
);

/** What the servers are that are there. */
export const listServers: Script = callLibrary.repeatable(
  "services",
  `
local reply,there={}, {}
local all=call('HGETALL',B..':ci')
for i=1,#all,2 do
  local client=string.match(all[i],'^[^.]+')
  if there[client]==nil then there[client]=call('PUBSUB','NUMSUB','q:i:'..client)[2]>0 end
  if there[client] then reply[#reply+1]=all[i+1] else leave(cjson.decode(all[i+1]).address,all[i]) end
end
return reply`,
);

/** ARGV: clients. Which of them are gone. */
export const goneClients: Script = callLibrary.repeatable(
  "clients",
  `
local gone={}
for _,client in ipairs(ARGV) do
  if call('PUBSUB','NUMSUB','q:i:'..client)[2]==0 then gone[#gone+1]=client end
end
return gone`,
);
